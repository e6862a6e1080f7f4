import Bytes
import KafkaClient
import Records

/// Records as lines, in the envelope that `kcat -J` prints. The owner calls `deallocate` once.
///
/// A value of its own, since its owner is a class: the runtime checks each access to a stored property of a class, and a
/// line has more than ten parts.
struct RecordLines {
    private var buffer: LineBuffer
    private var isFirstHeader = true
    /// Records since the beginning.
    private(set) var recordCount = 0

    init(capacity: Int) { buffer = LineBuffer(capacity: capacity) }

    func deallocate() { buffer.deallocate() }

    var count: Int { buffer.count }
    var bytes: Bytes { buffer.bytes }

    /// Removes the lines. Their records stay counted.
    mutating func removeAll() { buffer.removeAll() }

    mutating func begin(
        _ topic: Bytes, _ partition: Int32, _ offset: Int64, _ type: RecordedRecord.TimestampType, _ timestamp: Int64?
    ) {
        buffer.append("{\"topic\":")
        appendText(topic)
        buffer.append(",\"partition\":")
        buffer.append(Int64(partition))
        buffer.append(",\"offset\":")
        buffer.append(offset)
        // kcat also leaves out both fields when there is no timestamp.
        if let timestamp, type != .unknown {
            buffer.append(type == .create ? ",\"tstype\":\"create\",\"ts\":" : ",\"tstype\":\"logappend\",\"ts\":")
            buffer.append(timestamp)
        }
        isFirstHeader = true
    }

    mutating func add(_ name: Bytes, _ value: Bytes?) {
        buffer.append(isFirstHeader ? ",\"headers\":[" : ",")
        isFirstHeader = false
        appendText(name)
        buffer.append(",")
        guard let value else { return buffer.append("null") }
        if !buffer.appendString(value) {
            buffer.append("{\"base64\":")
            buffer.appendBase64(value)
            buffer.append("}")
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
        if !isFirstHeader { buffer.append("]") }
        append(",\"key\":", ",\"key_base64\":", key)
        append(",\"payload\":", ",\"payload_base64\":", value)
        buffer.append("}\n")
        recordCount += 1
    }

    private mutating func append(_ plain: StaticString, _ packed: StaticString, _ bytes: Bytes?) {
        let before = buffer.count
        buffer.append(plain)
        guard let bytes else { return buffer.append("null") }
        if !buffer.appendString(bytes) {
            buffer.cut(to: before)
            buffer.append(packed)
            buffer.appendBase64(bytes)
        }
    }

    /// A topic or header name. Kafka's are text; one that is not is repaired, since the format has no field for other
    /// bytes.
    private mutating func appendText(_ name: Bytes) {
        if buffer.appendString(name) { return }
        var mended = String(decoding: name, as: UTF8.self)
        mended.withUTF8 { _ = buffer.appendString(Bytes($0)) }
    }
}
