import Foundation

@testable import Recording

/// A directory of a test's own, removed with all that is in it when the test ends.
struct FormatFolder {
    let path: String

    static func with<Result>(_ body: (FormatFolder) throws -> Result) throws -> Result {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("rejoinder-recording-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(FormatFolder(path: url.path))
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func make(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }

    func make(_ name: String, _ text: String) throws -> String { try make(name, text.utf8) }

    func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: file(name))))
    }

    var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }

    /// Writes the records, returns the path.
    func write(_ name: String, _ records: [RecordedRecord]) throws -> String {
        let writer = try RecordingWriter(path: file(name))
        for record in records { try writer.write(record) }
        try writer.finish()
        return file(name)
    }
}

extension RecordingReader {
    static func all(_ path: String) throws -> [RecordedRecord] {
        let reader = try RecordingReader(path: path)
        var records: [RecordedRecord] = []
        while let record = try reader.next() { records.append(record) }
        return records
    }
}

extension RecordedRecord {
    /// A record to vary.
    static func sample(key: [UInt8]? = [0x6B], value: [UInt8]? = [0x76]) -> RecordedRecord {
        RecordedRecord(topic: "t", partition: 0, offset: 0, timestamp: 1, key: key, value: value)
    }
}
