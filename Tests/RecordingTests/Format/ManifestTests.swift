import Foundation
import Testing

@testable import Recording

@Suite("A recording's manifest")
struct ManifestTests {
    private static let manifest = RecordingManifest(
        rejoinder: "1.2.3", librdkafka: "2.0.2", recordedAt: Date(timeIntervalSince1970: 1_700_000_000),
        window: .init(from: "-1h", to: "end"),
        topics: [.init(topic: "t", records: 3, partitions: [.init(partition: 0, from: 0, to: 9)])],
        times: 1_000...2_500)

    private func record(_ index: Int) -> RecordedRecord {
        RecordedRecord(
            topic: "t", partition: 0, offset: Int64(index), timestamp: Int64(index), key: Array("q\(index)".utf8),
            value: Array(repeating: UInt8(ascii: "a") + UInt8(index % 26), count: 300))
    }

    private func write(_ path: String, _ count: Int, _ manifest: RecordingManifest = Self.manifest) throws {
        let writer = try RecordingWriter(path: path, hasManifest: true)
        for index in 0..<count { try writer.write(record(index)) }
        try writer.finish(manifest)
    }

    private func read(_ path: String) throws -> (records: [RecordedRecord], warnings: [String]) {
        let reader = try RecordingReader(path: path)
        var records: [RecordedRecord] = []
        while let record = try reader.next() { records.append(record) }
        return (records, reader.warnings)
    }

    /// The lines of a recording of three records.
    private func lines(_ folder: FormatFolder) throws -> [String] {
        try write(folder.file("r.jsonl"), 3)
        let text = String(decoding: try folder.bytes("r.jsonl"), as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }

    private func warnings(_ folder: FormatFolder, _ lines: [String]) throws -> [String] {
        try read(folder.make("edited.jsonl", lines.map { $0 + "\n" }.joined())).warnings.map {
            $0.replacing(folder.file("edited.jsonl"), with: "FILE")
        }
    }

    @Test("is the last line, announced by the first, and holds what was recorded")
    func lines() throws {
        try FormatFolder.with { folder in
            let lines = try lines(folder)
            #expect(lines.count == 5)
            #expect(lines[0] == #"{"recording":{"format":1,"manifest":"last line"}}"#)
            let manifest: [String] = [
                #"{"manifest":{"ended":"complete","format":1,"gaps":[],"librdkafka":"2.0.2","#,
                #""recordedAt":"2023-11-14T22:13:20Z","records":3,"rejoinder":"1.2.3","#,
                #""sha256":"9fbdf6b471ab1f3f12c435e0b31f39fd753c4ef1e5fc52c7d3ce4906b5277ce2","#,
                #""times":{"from":"1970-01-01T00:00:01Z","to":"1970-01-01T00:00:02.500Z"},"#,
                #""topics":[{"partitions":[{"from":0,"partition":0,"to":9}],"records":3,"topic":"t"}],"#,
                #""window":{"from":"-1h","to":"end"}}}"#,
            ]
            #expect(lines[4] == manifest.joined())
        }
    }

    @Test("fits its records, however they are packed and however long they are", arguments: PartialFileTests.names)
    func fits(name: String) throws {
        try FormatFolder.with { folder in
            for count in [1, 3, 10_000] {
                try write(folder.file(name), count)
                let found = try read(folder.file(name))
                #expect(found.records == (0..<count).map(record))
                #expect(found.warnings == [])
            }
            // Two recordings in one file are two recordings.
            _ = try folder.make("twice-\(name)", try folder.bytes(name) + (try folder.bytes(name)))
            let twice = try read(folder.file("twice-\(name)"))
            #expect(twice.records.count == 20_000 && twice.warnings == [])
        }
    }

    @Test("a line removed, a byte changed, an end cut off: said, and read all the same")
    func edited() throws {
        try FormatFolder.with { folder in
            let whole = try lines(folder)
            #expect(try warnings(folder, whole) == [])
            #expect(
                try warnings(folder, Array(whole[..<4]))
                    == ["FILE lacks its manifest after 3 records: the file was cut off or edited"])
            let remedy = "; without its first and its last line it is read as a recording of its own"
            #expect(
                try warnings(folder, [whole[0], whole[2], whole[3], whole[4]])
                    == [
                        "FILE has 2 records where its manifest says 3: the file was cut or edited" + remedy
                    ])
            #expect(
                try warnings(folder, [whole[0], whole[2], whole[1], whole[3], whole[4]])
                    == [
                        "FILE has other records than its manifest says (their SHA-256 differs): the file was edited"
                            + remedy
                    ])
            #expect(
                try warnings(folder, Array(whole[2...]))
                    == ["FILE lacks the beginning of a recording of 3 records: the file was cut or edited"])
            #expect(try warnings(folder, Array(whole[1..<4])) == [])
            #expect(
                try warnings(folder, Array(whole[..<4]) + [whole[4].replacing(#""format":1"#, with: #""format":2"#)])
                    == ["FILE has a manifest that this version cannot read, so its records are not compared with it"])
            #expect(
                try warnings(folder, Array(whole[..<3] + whole))
                    == ["FILE lacks its manifest after 2 records: the file was cut off or edited"])
        }
    }

    @Test("offsets that no log can have are told as they stand")
    func impossibleOffsets() throws {
        try FormatFolder.with { folder in
            var manifest = Self.manifest
            manifest.gaps = [.init(topic: "t", partition: 0, from: 3, to: .min)]
            try write(folder.file("r.jsonl"), 3, manifest)
            #expect(try read(folder.file("r.jsonl")).warnings.count == 1)
        }
    }

    @Test("gaps and an early end are said by every reader")
    func incomplete() throws {
        try FormatFolder.with { folder in
            var manifest = Self.manifest
            manifest.gaps = [.init(topic: "t", partition: 0, from: 3, to: 10)]
            try write(folder.file("r.jsonl"), 3, manifest)
            #expect(
                try read(folder.file("r.jsonl")).warnings == [
                    "\(folder.file("r.jsonl")) has gaps: offsets 3 to 9 of t [0] were gone before they could be "
                        + "recorded"
                ])
            let writer = try RecordingWriter(path: folder.file("f.jsonl"), hasManifest: true)
            try writer.write(record(0))
            manifest = Self.manifest
            manifest.ended = .failed
            #expect(writer.keep(named: true, manifest)?.recordCount == 1)
            #expect(
                try read(folder.file("f.jsonl")).warnings == [
                    "\(folder.file("f.jsonl")) was broken off by an error of its recorder, so later records are missing"
                ])
        }
    }

    @Test("a killed recorder's file has none, which is said", arguments: PartialFileTests.names)
    func unfinished(name: String) throws {
        try FormatFolder.with { folder in
            let writer = try RecordingWriter(path: folder.file(name), hasManifest: true)
            for index in 0..<5 { try writer.write(record(index)) }
            try writer.settle()
            let partial = try #require(try folder.names.first)
            let found = try read(folder.file(partial))
            #expect(found.records.count == 5)
            #expect(
                found.warnings == [
                    "\(folder.file(partial)) was not finished by its recorder, so later records may be missing"
                ])
        }
    }

    @Test("a line that is neither record nor manifest is an error, as ever")
    func foreign() throws {
        try FormatFolder.with { folder in
            let whole = try lines(folder)
            for line in [#"{"manifest":{},"records":1}"#, #"{"manifests":{}}"#, #"{"manifest":{"#, "[]"] {
                let error = #expect(throws: RecordingError.self) {
                    try warnings(folder, [whole[0], whole[1], line])
                }
                #expect(error?.line == 3)
            }
        }
    }
}
