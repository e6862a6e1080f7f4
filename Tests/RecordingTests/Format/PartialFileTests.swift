import Foundation
import Testing

@testable import Recording

/// The remains of a recording when its recorder, the brokers or the disk fail.
@Suite("Files that were not finished")
struct PartialFileTests {
    static let names = ["r.jsonl", "r.jsonl.gz", "r.jsonl.zst"]

    private func record(_ index: Int) -> RecordedRecord {
        var random = SplitMix(state: UInt64(index))
        return RecordedRecord(
            topic: "t", partition: 0, offset: Int64(index), timestamp: Int64(index), key: Array("k".utf8),
            value: (0..<200).map { _ in UInt8(random.next() & 0x7F) })
    }

    private func read(_ path: String) throws -> (records: [RecordedRecord], isCutOff: Bool) {
        let reader = try RecordingReader(path: path, allowsEmpty: true)
        var records: [RecordedRecord] = []
        while let record = try reader.next() { records.append(record) }
        return (records, reader.isCutOff)
    }

    @Test(
        "the temporary name says how it is packed",
        arguments: [
            ("r.jsonl", "r.jsonl.7.partial"), ("a/r.jsonl.zst", "a/r.jsonl.7.partial.zst"), ("R.GZ", "R.7.partial.GZ"),
        ])
    func name(path: String, partial: String) {
        #expect(RecordingOutput.partialName(path, number: 7) == partial)
        #expect(RecordingOutput.isPartialName(partial))
        #expect(!RecordingOutput.isPartialName(path))
    }

    @Test("settled, it can be read while it is written: what a killed recorder leaves", arguments: names)
    func settled(name: String) throws {
        try FormatFolder.with { folder in
            let writer = try RecordingWriter(path: folder.file(name))
            for index in 0..<100 { try writer.write(record(index)) }
            try writer.settle()
            let partial = try #require(try folder.names.first)
            let bytes = try folder.bytes(partial)
            #expect(try read(folder.file(partial)).records == (0..<100).map(record))
            // Nothing new, nothing more.
            try writer.settle()
            #expect(try folder.bytes(partial) == bytes)
            for index in 100..<200 { try writer.write(record(index)) }
            try writer.finish()
            #expect(try folder.names == [name])
            #expect(try RecordingReader.all(folder.file(name)) == (0..<200).map(record))
        }
    }

    @Test("cut off at any byte, the whole records before are read, and that it was cut is known", arguments: names)
    func cutAnywhere(name: String) throws {
        try FormatFolder.with { folder in
            let records = (0..<40).map(record)
            let whole = try folder.write(name, records)
            let bytes = try folder.bytes(name)
            // From behind the magic number on, which tells the packing.
            for length in stride(from: 14, to: bytes.count, by: 13) {
                let path = try folder.make(RecordingOutput.partialName(name, number: 1), bytes.prefix(length))
                let found = try read(path)
                #expect(found.records == Array(records.prefix(found.records.count)))
                #expect(found.isCutOff || found.records.count < 40)
            }
            // Under another name a file that was cut off is an error, as ever.
            _ = try folder.make("cut-\(name)", bytes.dropLast(5))
            #expect(throws: RecordingError.self) { try read(folder.file("cut-\(name)")) }
            #expect(try read(whole).isCutOff == false)
        }
    }

    @Test("kept after an error, under its own name or the temporary one; else nothing is left", arguments: names)
    func kept(name: String) throws {
        for isNamed in [true, false] {
            try FormatFolder.with { folder in
                var writer: RecordingWriter? = try RecordingWriter(path: folder.file(name))
                for index in 0..<10 { try writer?.write(record(index)) }
                let kept = try #require(writer?.keep(named: isNamed))
                #expect(kept.recordCount == 10)
                writer = nil
                let left = try #require(try folder.names.first)
                #expect((left == name) == isNamed)
                #expect(try read(folder.file(left)) == ((0..<10).map(record), false))
                #expect(kept.name == folder.file(left))
            }
        }
        try FormatFolder.with { folder in
            var writer: RecordingWriter? = try RecordingWriter(path: folder.file(name))
            #expect(writer?.keep(named: true) == nil)
            writer = nil
            #expect(try folder.names == [])
            writer = try RecordingWriter(path: folder.file(name))
            try writer?.write(record(0))
            try writer?.settle()
            writer = nil
            #expect(try folder.names == [])
        }
    }
}
