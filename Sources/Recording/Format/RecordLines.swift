import Bytes
import KafkaClient
import Records

/// Records as lines, in the envelope that `kcat -J` prints.
///
/// A value of its own, since its owner is a class: the runtime checks each access to a stored property of a class, and
/// a line has more than ten parts.
struct RecordLines: ~Copyable {
    private var buffer: JSONWriter
    private var isFirstHeader = true
    /// Records since the beginning.
    private(set) var recordCount = 0

    init(capacity: Int) { buffer = JSONWriter([.letters, .rareLetters, .uppercase], capacity: capacity) }

    var count: Int { buffer.count }
    var bytes: Bytes { buffer.bytes }

    /// Removes the lines. Their records stay counted.
    mutating func removeAll() { buffer.removeAll() }

    mutating func begin(
        _ topic: Bytes, _ partition: Int32, _ offset: Int64, _ type: RecordedRecord.TimestampType, _ timestamp: Int64?
    ) {
        buffer.raw("{\"topic\":")
        appendText(topic)
        buffer.raw(",\"partition\":")
        buffer.number(Int64(partition))
        buffer.raw(",\"offset\":")
        buffer.number(offset)
        // kcat also leaves out both fields when there is no timestamp.
        if let timestamp, type != .unknown {
            buffer.raw(type == .create ? ",\"tstype\":\"create\",\"ts\":" : ",\"tstype\":\"logappend\",\"ts\":")
            buffer.number(timestamp)
        }
        isFirstHeader = true
    }

    mutating func add(_ name: Bytes, _ value: Bytes?) {
        buffer.raw(isFirstHeader ? ",\"headers\":[" : ",")
        isFirstHeader = false
        appendText(name)
        buffer.raw(",")
        guard let value else { return buffer.raw("null") }
        if !buffer.string(value) {
            buffer.raw("{\"base64\":")
            appendBase64(value)
            buffer.raw("}")
        }
    }

    mutating func add(_ headers: [RecordHeader]) {
        for header in headers {
            var name = header.name
            name.withUTF8 { name in
                guard let value = header.value else { return add(Bytes(name), nil) }
                value.withUnsafeBytes { add(Bytes(name), $0) }
            }
        }
    }

    mutating func end(_ key: Bytes?, _ value: Bytes?) {
        if !isFirstHeader { buffer.raw("]") }
        append(",\"key\":", ",\"key_base64\":", key)
        append(",\"payload\":", ",\"payload_base64\":", value)
        buffer.raw("}\n")
        recordCount += 1
    }

    private mutating func append(_ plain: StaticString, _ packed: StaticString, _ bytes: Bytes?) {
        let before = buffer.count
        buffer.raw(plain)
        guard let bytes else { return buffer.raw("null") }
        if !buffer.string(bytes) {
            buffer.cut(to: before)
            buffer.raw(packed)
            appendBase64(bytes)
        }
    }

    private mutating func appendBase64(_ bytes: Bytes) {
        buffer.raw("\"")
        buffer.raw(Base64.encodedCount(of: bytes.count)) { Base64.encode(bytes, to: $0) }
        buffer.raw("\"")
    }

    /// A topic or header name. Kafka's are text; one that is not is repaired, since the format has no field for other
    /// bytes.
    private mutating func appendText(_ name: Bytes) {
        if buffer.string(name) { return }
        buffer.string(String(decoding: name, as: UTF8.self))
    }
}
