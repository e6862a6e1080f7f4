/// The ids that identify a contract record within its topic.
package struct RecordIdentity: Hashable, Sendable {
    package var topic: ContractTopic
    /// nil: a vote whose row names only its answer.
    package var questionID: String?
    package var answerID: String?
    /// nil in a vote that was counted elsewhere.
    package var voterID: String?

    /// The smallest value that takes back a record of this identity; nil is a null value.
    func removal() -> [UInt8]? {
        var value = JSONWriter()
        switch topic {
        case .questions: return nil
        case .answers:
            value.begin()
            value.member("id", text: answerID ?? "")
            value.member("questionId", text: questionID ?? "")
            value.member("withdrawn", json: "true")
        case .votes:
            value.begin()
            value.member("questionId", text: questionID ?? "")
            value.member("answerId", text: answerID ?? "")
            if let voterID {
                value.member("voterId", text: voterID)
                value.member("value", json: "0")
            } else {
                value.member("voteCount", json: "0")
            }
        }
        value.end()
        return value.bytes
    }
}

/// A field's value as it was written, to stand in where a later change leaves it out.
struct KeptField: Equatable {
    var name: String
    /// Empty: it was NULL.
    var json: [UInt8]

    /// The name by field and column: another mapping's value differs.
    static func name(_ field: String, _ path: RowPath) -> String { field + " " + path.text }
}

/// A row as a contract record, as a mapping says.
struct MappedRecord {
    var identity: RecordIdentity
    /// The record's value; that of a vote without a question lacks the id, which ``value(_:inQuestion:)`` adds.
    var value: [UInt8]
    /// It has a tally, `voteCount`.
    var isCounted = false
    /// The question is deleted: its record has a null value.
    var isDeletion = false
    /// Values that the database may leave out of a later change, as PostgreSQL does with those stored apart (TOAST).
    var kept: [KeptField] = []

    /// The value of a vote whose question was found by its answer.
    static func value(_ value: [UInt8], inQuestion id: String) -> [UInt8] {
        var whole = JSONWriter()
        whole.begin()
        whole.member("questionId", text: id)
        return whole.bytes + [UInt8(ascii: ",")] + value.dropFirst()
    }
}

/// Writes JSON objects, member by member.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var isFirst = true

    init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    mutating func begin() {
        bytes.append(UInt8(ascii: "{"))
        isFirst = true
    }

    mutating func end() {
        bytes.append(UInt8(ascii: "}"))
        isFirst = false
    }

    /// A member's name; its value must follow.
    mutating func name(_ name: String) { self.name(Self.member(name)) }

    /// A member's name as ``member(_:)`` has made it; its value must follow.
    mutating func name(_ member: [UInt8]) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        bytes.append(contentsOf: member)
    }

    /// A member's name in quotes with the colon.
    static func member(_ name: String) -> [UInt8] {
        var writer = JSONWriter(capacity: name.utf8.count + 3)
        writer.string(name)
        return writer.bytes + [UInt8(ascii: ":")]
    }

    mutating func member(_ name: String, text: String) {
        self.name(name)
        string(text)
    }

    mutating func member(_ name: String, json: String) {
        self.name(name)
        bytes.append(contentsOf: json.utf8)
    }

    mutating func raw(_ json: some Sequence<UInt8>) { bytes.append(contentsOf: json) }

    mutating func raw(_ json: UnsafeRawBufferPointer) { bytes.append(contentsOf: json) }

    /// A string, escaped as far as JSON requires.
    mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { text in
            var plain = text.startIndex
            for (index, byte) in text.enumerated() where Self.mustEscape(byte) {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[plain..<index]))
                plain = index + 1
                escape(byte)
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[plain...]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func mustEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        if byte >= 0x20 { return bytes.append(byte) }
        bytes.append(contentsOf: Array("u00".utf8))
        bytes.append(Self.hexadecimal[Int(byte >> 4)])
        bytes.append(Self.hexadecimal[Int(byte & 15)])
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}
