import Foundation
internal import Recording

/// A record header. Names may repeat; a null value differs from an empty one.
public struct RecordHeader: Sendable, Hashable {
    /// The header's name.
    public var name: String
    /// The header's bytes; nil is Kafka's null.
    public var value: [UInt8]?

    /// A header of any bytes.
    public init(name: String, value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    /// A header of text, in UTF-8.
    public init(_ name: String, _ text: String) {
        self.init(name: name, value: Array(text.utf8))
    }
}

/// A record of the enriched topic: a question with its answers, or its deletion.
public struct EnrichedRecord: Sendable, Hashable {
    /// The question's id.
    public var key: String
    /// The JSON, byte for byte as published; nil: the question was deleted.
    public var value: [UInt8]?
    /// The partition of the enriched topic.
    public var partition: Int32
    /// The question event's timestamp, in milliseconds since 1970.
    public var timestamp: Int64?
    /// The question event's headers, then `rejoinder.cause` where an answer or a vote led to the record.
    public var headers: [RecordHeader]

    init(_ record: RecordedRecord) {
        key = String(decoding: record.key ?? [], as: UTF8.self)
        value = record.value
        partition = record.partition
        timestamp = record.timestamp
        headers = record.headers.map { RecordHeader(name: $0.name, value: $0.value) }
    }

    /// Whether the record is the question's deletion.
    public var isDeletion: Bool { value == nil }

    /// The JSON as text; nil: the question was deleted.
    public var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }

    /// The record's answers, in its order; empty where the question was deleted.
    public var answers: [AttachedAnswer] { content?.answers ?? [] }

    /// The number of the question's answers, including those left out for lack of room.
    public var answerCount: Int { content?.answerCount ?? 0 }

    /// Decodes the JSON: `question`, `answers`, `answerCount` and, where answers were left out, `answersOmitted`.
    /// - Throws: `DecodingError`; also where the question was deleted, since the record has no JSON then.
    public func decode<Value: Decodable>(
        _ type: Value.Type = Value.self, with decoder: JSONDecoder = JSONDecoder()
    ) throws -> Value {
        try decoder.decode(type, from: Data(value ?? []))
    }

    private struct Content: Decodable {
        var answers: [AttachedAnswer]
        var answerCount: Int
    }

    private var content: Content? { try? decode(Content.self) }
}

/// An answer in an enriched record, with its votes.
public struct AttachedAnswer: Sendable, Hashable, Decodable {
    /// The answer's id.
    public var id: String
    /// The sum of its votes.
    public var voteCount: Int
    /// The vote count plus one, with a leading `+` where the count is not negative: `+1`, `0`, `-2`.
    public var voteLabel: String

    private enum CodingKeys: String, CodingKey {
        case answer, voteCount, voteLabel
    }

    private struct Answer: Decodable {
        var id: String
    }

    /// Decodes an element of the enriched value's `answers`.
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(Answer.self, forKey: .answer).id
        voteCount = try container.decode(Int.self, forKey: .voteCount)
        voteLabel = try container.decode(String.self, forKey: .voteLabel)
    }
}
