import CZlib
import Foundation
import KafkaClient
import Testing

@testable import Recording

@Suite("Reading recordings")
struct ReaderTests {
    private func read(_ text: String) throws -> [RecordedRecord] {
        try FormatFolder.with { try RecordingReader.all($0.make("r.jsonl", text)) }
    }

    private func error(
        _ bytes: some Sequence<UInt8>, name: String = "r.jsonl", _ location: SourceLocation = #_sourceLocation
    ) throws -> RecordingError {
        try FormatFolder.with { folder in
            let path = try folder.make(name, bytes)
            let error = #expect(throws: RecordingError.self, sourceLocation: location) {
                try RecordingReader.all(path)
            }
            return try #require(error, sourceLocation: location)
        }
    }

    private func error(_ text: String, name: String = "r.jsonl", _ location: SourceLocation = #_sourceLocation) throws
        -> RecordingError
    { try error(Array(text.utf8), name: name, location) }

    private static let good =
        #"{"topic":"t","partition":0,"offset":1,"tstype":"create","ts":2,"key":"k","payload":"v"}"#

    @Test("a file of kcat -J, its binary bytes raw in the strings")
    func kcat() throws {
        var bytes = Array(
            #"""
            {"topic":"t","partition":0,"offset":0,"tstype":"create","ts":1795356899252,"broker":1,"headers":["a","1","a","2","n",null,"e","","bin","
            """#.utf8)
        bytes += [0xFF] + Array(#"\u0000"#.utf8) + [0xFE]
        bytes += Array(#""],"key":""#.utf8) + [0xFF, 0xFE] + Array(#"\u0000","payload":"\u001F\b\t\n\f\r\"\\/"#.utf8)
        bytes += [0x7F, 0xED, 0xA0, 0x80] + Array("\"}\n".utf8)
        let records = try FormatFolder.with { try RecordingReader.all($0.make("k.jsonl", bytes)) }
        let record = try #require(records.first)
        #expect(record.timestamp == 1_795_356_899_252)
        #expect(record.timestampType == .create)
        #expect(record.key == [0xFF, 0xFE, 0])
        #expect(record.value == [0x1F, 8, 9, 10, 12, 13, 0x22, 0x5C, 0x2F, 0x7F, 0xED, 0xA0, 0x80])
        #expect(
            record.headers == [
                RecordHeader("a", "1"), RecordHeader("a", "2"), RecordHeader(name: "n", value: nil),
                RecordHeader("e", ""), RecordHeader(name: "bin", value: [0xFF, 0, 0xFE]),
            ])
    }

    @Test(
        "fields in any order, unknown ones of every kind, spaces, escapes in names, CRLF, blank lines, no last line end"
    )
    func tolerant() throws {
        let odd =
            #" { "payload" : "\u00e9\ud83d\ude00" , "x":[1,-2.5e+3,{"a":[true,false,null,""]},[],{}],"offset":7,"#
            + #""k\u0065y":null,"#
            + #""partition":2147483647 ,"headers":{"h":["1",null],"i":[]}, "topic":"t\u0074" } "#
        let records = try read("\(Self.good)\r\n\n  \t\n\(odd)")
        #expect(records.count == 2)
        #expect(
            records.last
                == RecordedRecord(
                    topic: "tt", partition: .max, offset: 7, timestampType: .unknown, timestamp: nil,
                    headers: [RecordHeader("h", "1"), RecordHeader(name: "h", value: nil)], key: nil,
                    value: Array("é😀".utf8)))
    }

    @Test(
        "no timestamp in any of the ways to say so",
        arguments: [#""tstype":"unknown","ts":0"#, #""ts":-1"#, #""ts":null"#])
    func noTimestamp(fields: String) throws {
        let record = try read(#"{"topic":"t","partition":0,"offset":0,\#(fields),"key":null,"payload":null}"#).first
        #expect(record?.timestamp == nil)
        #expect(record?.timestampType == .unknown)
    }

    @Test("the line and what is wrong with it", arguments: Self.bad)
    func badLine(line: String, reason: String) throws {
        for (text, number) in [("\(line)\n", 1), ("\n\(Self.good)\n\(line)\n\(Self.good)\n", 3)] {
            let error = try error(text)
            #expect(error.line == number)
            #expect(error.matter == .content)
            #expect(error.reason.contains(reason), "\(error)")
        }
    }

    static let bad: [(String, String)] = [
        ("hello", "this is no record: a JSON object begins with '{', and here is 'h'"),
        ("[1]", "and here is '['"),
        ("\u{FEFF}" + good, "a byte order mark"),
        ("{}", "it has no field 'topic'"),
        (#"{"level":"info","message":"started"}"#, "it has no field 'topic'"),
        (#"{"topic":"t","offset":0,"key":null,"payload":null}"#, "it has no field 'partition'"),
        (#"{"topic":"t","partition":0,"key":null,"payload":null}"#, "it has no field 'offset'"),
        (#"{"topic":"t","partition":0,"offset":0,"payload":null}"#, "neither 'key' nor 'key_base64'"),
        (#"{"topic":"t","partition":0,"offset":0,"key":null}"#, "neither 'payload' nor 'payload_base64'"),
        (#"{"topic":"t","partition":0,"offset":0,"key":null,"payload":"","payload_base64":""}"#, "which one counts"),
        (#"{"topic":"t","topic":"u"}"#, "the field 'topic' stands twice"),
        (#"{"topic":""}"#, "'topic' is empty"),
        (#"{"topic":1}"#, "'topic' must be a string"),
        (#"{"partition":-1}"#, "the partition -1 is none"),
        (#"{"partition":2147483648}"#, "the partition 2147483648 is none"),
        (#"{"partition":1.0}"#, "'partition' must be a whole number"),
        (#"{"partition":01}"#, "'partition' must be a whole number"),
        (#"{"offset":-1}"#, "the offset -1 is none"),
        (#"{"offset":9223372036854775808}"#, "does not fit into 64 bits"),
        (#"{"offset":"1"}"#, "'offset' must be a whole number, found '\"'"),
        (#"{"ts":1e3}"#, "'ts' must be a whole number"),
        (#"{"tstype":"CreateTime"}"#, "'tstype' must be"),
        (#"{"payload":{"id":"q1"}}"#, "'payload' must be a string or null, found '{'"),
        (#"{"payload":12}"#, "'payload' must be a string or null"),
        (#"{"key_base64":"A"}"#, "'key_base64' is not base64"),
        (#"{"key_base64":"AB=="}"#, "'key_base64' is not base64"),
        (#"{"key_base64":"A A="}"#, "'key_base64' is not base64"),
        (#"{"key_base64":null}"#, "'key_base64' must be a string of base64"),
        (#"{"headers":["a"]}"#, "a value is missing"),
        (#"{"headers":["a",1]}"#, "a header's value must be"),
        (#"{"headers":["a",{"base65":""}]}"#, "a header's value must be"),
        (#"{"headers":["a",{"base64":"","b":1}]}"#, "a header's value must be"),
        (#"{"headers":[null,"a"]}"#, "a header's name must be a string"),
        (#"{"headers":"a"}"#, "'headers' must be a list"),
        (#"{"payload":"\ud800"}"#, "half a surrogate pair (\\uD800) stands for no bytes"),
        (#"{"payload":"\udc00"}"#, "half a surrogate pair (\\uDC00)"),
        (#"{"payload":"\ud800\u0041"}"#, "half a surrogate pair (\\uD800)"),
        (#"{"payload":"\x"}"#, "after a backslash, found 'x', at byte 14 of the line"),
        (#"{"payload":"\u12g4"}"#, "four hexadecimal digits"),
        ("{\"payload\":\"a\tb\"}", "a control character (the byte 0x9) must be escaped"),
        (#"{"a":truu}"#, "expected 'true'"),
        (#"{"a":-}"#, "expected a digit of a number"),
        (#"{"a":}"#, "expected a JSON value"),
        (#"{"a":[1,]}"#, "expected a JSON value"),
        (#"{"a" 1}"#, "expected ':'"),
        (#"{"a":1 "b":2}"#, "expected ',' or '}'"),
        (#"{"a":1,}"#, "expected a field name"),
        (good + good, "expected one record a line"),
        ("{\"a\":" + String(repeating: "[", count: 2_000), "more than 512 arrays and objects"),
        (String(repeating: "[", count: 100_000), "this is no record"),
    ]

    @Test("cut off anywhere, a line says so with its number", arguments: [true, false])
    func cutOff(isLast: Bool) throws {
        let line = Array(
            (#"{"topic":"t","partition":10,"offset":1,"tstype":"create","ts":2,"headers":["a","\u00e9","#
                + #"{"base64":"AA=="}],"key":null,"x":[tru],"payload":"v\"w"}"#).utf8)
        let whole = line.replacing(Array("tru".utf8), with: Array("true".utf8))
            .replacing(
                Array(#","\u00e9",{"base64":"AA=="}"#.utf8), with: Array(#","\u00e9","b",{"base64":"AA=="}"#.utf8))
        #expect(try read(String(decoding: whole, as: UTF8.self)).count == 1)
        for length in 1..<whole.count {
            let part = whole[..<length]
            let bytes = Array((Self.good + "\n").utf8) + part + (isLast ? [] : Array("\n\(Self.good)\n".utf8))
            let error = try error(bytes)
            #expect(error.line == 2)
            #expect(error.reason.contains(isLast ? "the file was cut off here" : "the line is cut off"), "\(error)")
        }
    }

    @Test("nothing to replay", arguments: ["", "\n", " \n\r\n", "r.gz", "r.zst"])
    func empty(text: String) throws {
        let isName = text.hasPrefix("r.")
        let error = try error(isName ? "" : text, name: isName ? text : "r.jsonl")
        #expect(error.matter == .content)
        #expect(error.reason.contains("holds no record"))
        try FormatFolder.with { folder in
            let path = try folder.make("r.jsonl", text.hasPrefix("r.") ? "" : text)
            #expect(try RecordingReader(path: path, allowsEmpty: true).next() == nil)
        }
    }

    @Test("garbage never crashes", arguments: 0..<20)
    func garbage(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var bytes = Array(
            (#"{"topic":"t","partition":0,"offset":1,"tstype":"create","ts":2,"headers":["a","\u00e9","b","#
                + #"{"base64":"AAA="}],"key":"\ud83d\ude00","payload":"v\n"}"#
                + "\n").utf8)
        bytes = Array(repeatElement(bytes, count: 20).joined())
        try FormatFolder.with { folder in
            for round in 0..<50 {
                var damaged = bytes
                for _ in 0...round {
                    let place = Int(random.next() % UInt64(damaged.count))
                    damaged[place] = UInt8(truncatingIfNeeded: random.next())
                }
                for name in ["g.jsonl", "g.gz", "g.zst"] {
                    let path = try folder.make(name, damaged)
                    do {
                        _ = try RecordingReader.all(path)
                    } catch let error as RecordingError {
                        #expect(error.matter == .content)
                    }
                }
            }
        }
    }
}

@Suite("Packed recordings")
struct CompressionTests {
    private static let records = (0..<20_000).map { index in
        RecordedRecord.sample(key: Array("k\(index)".utf8), value: Array("value \(index * 7_919)".utf8))
    }

    private func packed(_ name: String, _ folder: FormatFolder) throws -> [UInt8] {
        _ = try folder.write(name, Self.records)
        return try folder.bytes(name)
    }

    @Test("packed as the name says", arguments: [("r.jsonl.gz", [0x1F, 0x8B]), ("r.zst", [0x28, 0xB5, 0x2F, 0xFD])])
    func magic(name: String, magic: [UInt8]) throws {
        try FormatFolder.with { folder in
            let bytes = try packed(name, folder)
            #expect(bytes.starts(with: magic))
            #expect(try RecordingReader.all(folder.file(name)) == Self.records)
        }
    }

    @Test("files that were joined are read to the end", arguments: ["r.gz", "r.zst"])
    func joined(name: String) throws {
        try FormatFolder.with { folder in
            let bytes = try packed(name, folder)
            #expect(try RecordingReader.all(folder.make(name, bytes + bytes)).count == Self.records.count * 2)
        }
    }

    @Test("cut off anywhere, or damaged", arguments: ["r.gz", "r.zst"])
    func damaged(name: String) throws {
        try FormatFolder.with { folder in
            let bytes = try packed(name, folder)
            for length in [4, 5, 11, bytes.count / 3, bytes.count / 2, bytes.count - 5, bytes.count - 1] {
                let path = try folder.make(name, bytes[..<length])
                let error = #expect(throws: RecordingError.self) { try RecordingReader.all(path) }
                #expect(error?.matter == .content)
                #expect(error?.line != nil)
                #expect(error?.reason.contains("cut off") == true, "\(String(describing: error))")
            }
            var damaged = bytes
            damaged[bytes.count / 2] ^= 0x55
            let path = try folder.make(name, damaged)
            let error = #expect(throws: RecordingError.self) { try RecordingReader.all(path) }
            #expect(error?.line != nil)
        }
    }

    @Test("a name that says something else than the content", arguments: ["r.jsonl", "r.gz", "r.zst"])
    func wrongName(name: String) throws {
        try FormatFolder.with { folder in
            for other in ["a.jsonl", "a.gz", "a.zst"] where Compression(ofName: other) != Compression(ofName: name) {
                let bytes = try packed(other, folder)
                let path = try folder.make(name, bytes)
                let error = #expect(throws: RecordingError.self) { try RecordingReader.all(path) }
                #expect(error?.line == 1)
                #expect(error?.matter == .content)
                #expect(error?.reason.contains("the name") == true)
                #expect(error?.reason.contains("rename the file") == true)
            }
        }
    }
}
