internal import Recording

/// A record that could not be processed: the original, and the reason.
public struct DeadLetterRecord: Sendable, Hashable {
    /// `invalid-json`, `too-deep`, `schema`, `key-mismatch`, `too-large` or `refused`; in a cluster also `source`.
    public var code: String
    /// Field and reason, for people.
    public var message: String
    /// The original record's topic.
    public var sourceTopic: String
    /// The original key; nil is Kafka's null.
    public var key: [UInt8]?
    /// The original value; nil is Kafka's null.
    public var value: [UInt8]?
    /// The partition of the dead-letter topic.
    public var partition: Int32
    /// The original headers, then `rejoinder.error.*` and `rejoinder.source.*`.
    public var headers: [RecordHeader]

    init(_ record: RecordedRecord) {
        func header(_ name: String) -> String {
            // The record may have a header of the same name; ours comes after it.
            let value = record.headers.last { $0.name == name }?.value
            return String(decoding: value ?? [], as: UTF8.self)
        }
        code = header("rejoinder.error.code")
        message = header("rejoinder.error.message")
        sourceTopic = header("rejoinder.source.topic")
        key = record.key
        value = record.value
        partition = record.partition
        headers = record.headers.map { RecordHeader(name: $0.name, value: $0.value) }
    }

    /// The value as text; nil is Kafka's null.
    public var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }
}
