import Foundation
import KafkaClient
import Testing

@testable import Recording

@Suite("What is written comes back")
struct RoundTripTests {
    private func check(_ records: [RecordedRecord], name: String = "r.jsonl") throws {
        try FormatFolder.with { folder in
            let path = try folder.write(name, records)
            #expect(try RecordingReader.all(path) == records)
        }
    }

    /// Other readers must see JSON in every line, and the same text in it.
    private func json(_ record: RecordedRecord) throws -> [String: Any] {
        try FormatFolder.with { folder in
            _ = try folder.write("r.jsonl", [record])
            let object = try JSONSerialization.jsonObject(with: Data(try folder.bytes("r.jsonl")))
            return try #require(object as? [String: Any])
        }
    }

    @Test("every byte by itself, in key, value and header")
    func everyByte() throws {
        let records = (UInt8.min...UInt8.max).map { byte in
            RecordedRecord(
                topic: "t", partition: 3, offset: Int64(byte), timestamp: 5,
                headers: [RecordHeader(name: "h", value: [byte]), RecordHeader(name: "h", value: [0x61, byte, 0x62])],
                key: [byte], value: [0x22, byte, 0x5C])
        }
        try check(records)
    }

    @Test("random bytes of all lengths up to 300, likely UTF-8 and not", arguments: 0..<8)
    func randomBytes(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let pieces: [[UInt8]] = [
            Array("a".utf8), Array("\"".utf8), Array("\\".utf8), [0], [0x1F], [0x7F], Array("é".utf8), Array("€".utf8),
            Array("😀".utf8), Array("\u{2028}".utf8), [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xE0, 0x80, 0x80], Array("plain text, eight and more".utf8),
        ]
        let valid = 9
        let records = (0..<300).map { length in
            func bytes() -> [UInt8]? {
                let kinds = random.next() % 4 == 0 ? pieces.count : valid + 1
                var bytes: [UInt8] = []
                while bytes.count < length { bytes += pieces[Int(random.next() % UInt64(kinds))] }
                return random.next() % 10 == 0 ? nil : bytes
            }
            return RecordedRecord(
                topic: "topic-\(length)", partition: Int32(length), offset: Int64.max - Int64(length),
                timestampType: length % 2 == 0 ? .create : .logappend, timestamp: Int64(length) * 1_000_000_007,
                headers: (0..<length % 4).map { RecordHeader(name: "n\($0)", value: bytes()) }, key: bytes(),
                value: bytes())
        }
        try check(records)
    }

    @Test("null is not empty")
    func nullAndEmpty() throws {
        let kinds: [[UInt8]?] = [nil, []]
        try check(kinds.flatMap { key in kinds.map { .sample(key: key, value: $0) } })
        let object = try json(.sample(key: nil, value: []))
        #expect(object["key"] is NSNull)
        #expect(object["payload"] as? String == "")
    }

    @Test("headers: repeated, null, empty, binary, with names that are not ASCII or have a name of ours")
    func headers() throws {
        var record = RecordedRecord.sample()
        record.headers = [
            RecordHeader(name: "a", value: Array("1".utf8)), RecordHeader(name: "a", value: Array("2".utf8)),
            RecordHeader(name: "a", value: nil), RecordHeader(name: "é\u{0}\"", value: []),
            RecordHeader(name: "base64", value: [0xFF, 0]),
            RecordHeader(name: "", value: Array(#"{"base64":"AA=="}"#.utf8)),
        ]
        try check([record])
    }

    @Test("a payload of 900 kB, text and binary, plain and packed", arguments: ["r.jsonl", "r.gz", "r.zst"])
    func hugePayload(name: String) throws {
        let text = Array(String(repeating: "{\"a\":\"\\u00e9 ü\u{1}\"}\n", count: 50_000).utf8)
        var random = SplitMix(state: 1)
        let binary = (0..<900_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        #expect(text.count >= 900_000)
        try check([.sample(value: text), .sample(key: binary, value: binary), .sample(value: text)], name: name)
    }

    @Test("no timestamp is no field")
    func noTimestamp() throws {
        var record = RecordedRecord.sample()
        record.timestamp = nil
        record.timestampType = .unknown
        try check([record])
        #expect(try json(record)["ts"] == nil)
    }

    @Test("a line is what kcat prints")
    func line() throws {
        var record = RecordedRecord.sample(key: Array("k\u{B}é".utf8), value: Array("a/b\"\\\n\u{7F}".utf8))
        record.headers = [RecordHeader("a", "1"), RecordHeader(name: "n", value: nil)]
        try FormatFolder.with { folder in
            _ = try folder.write("r.jsonl", [record])
            let expected =
                #"{"topic":"t","partition":0,"offset":0,"tstype":"create","ts":1,"headers":["a","1","n",null],"#
                + #""key":"k\u000Bé","#
                + #""payload":"a/b\"\\\n"# + "\u{7F}\"}\n"
            #expect(String(decoding: try folder.bytes("r.jsonl"), as: UTF8.self) == expected)
        }
    }

    @Test("bytes that no string of JSON can hold are marked")
    func marked() throws {
        var record = RecordedRecord.sample(key: [0xFF, 0xFE, 0], value: [0xC0, 0x80])
        record.headers = [RecordHeader(name: "b", value: [0xFF])]
        let object = try json(record)
        #expect(object["key_base64"] as? String == "//4A")
        #expect(object["payload_base64"] as? String == "wIA=")
        #expect(object["key"] == nil)
        #expect(object["payload"] == nil)
        let headers = try #require(object["headers"] as? [Any])
        #expect(headers[1] as? [String: String] == ["base64": "/w=="])
    }

    @Test("the same records make the same bytes", arguments: ["a.jsonl", "a.gz", "a.zst"])
    func deterministic(name: String) throws {
        let records = (0..<2_000).map { RecordedRecord.sample(value: Array("value \($0)".utf8)) }
        try FormatFolder.with { folder in
            _ = try folder.write(name, records)
            let first = try folder.bytes(name)
            _ = try folder.write(name, records)
            #expect(try folder.bytes(name) == first)
        }
    }
}

@Suite("The file of a recording")
struct RecordingFileTests {
    @Test("nothing is there before it is finished, and an older one stays")
    func atomic() throws {
        try FormatFolder.with { folder in
            let path = try folder.make("r.jsonl", "old")
            do {
                let writer = try RecordingWriter(path: path)
                try writer.write(.sample())
                try writer.flush()
                #expect(String(decoding: try folder.bytes("r.jsonl"), as: UTF8.self) == "old")
            }
            #expect(try folder.names == ["r.jsonl"])
            _ = try folder.write("r.jsonl", [.sample()])
            #expect(try folder.names == ["r.jsonl"])
            #expect(try RecordingReader.all(path) == [.sample()])
        }
    }

    @Test("a link stays a link")
    func link() throws {
        try FormatFolder.with { folder in
            _ = try folder.make("real.jsonl", "old")
            try FileManager.default.createSymbolicLink(
                atPath: folder.file("link.jsonl"), withDestinationPath: "real.jsonl")
            _ = try folder.write("link.jsonl", [.sample()])
            #expect(try RecordingReader.all(folder.file("real.jsonl")) == [.sample()])
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("link.jsonl")) == "real.jsonl")
        }
    }

    @Test("a place that cannot be written to is named")
    func unwritable() throws {
        try FormatFolder.with { folder in
            let path = folder.file("no/such/r.jsonl")
            let error = #expect(throws: RecordingError.self) { try RecordingWriter(path: path) }
            #expect(error?.matter == .unopened)
            #expect(error?.description.contains(path) == true)
        }
    }

    @Test("a full disk is an error")
    func fullDisk() throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        let writer = try RecordingWriter(path: "/dev/full")
        try writer.write(.sample())
        let error = #expect(throws: RecordingError.self) { try writer.finish() }
        #expect(error?.matter == .io)
    }
}

/// Steele, Lea and Flood's generator: the same numbers in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
