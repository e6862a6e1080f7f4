import Bytes
import KafkaClient

/// Writes a recording: one record a line, in the envelope that `kcat -J` prints.
///
/// The lines are always valid JSON. A key or payload that is not UTF-8 becomes `key_base64` or `payload_base64`, a
/// header's value `{"base64":"..."}`; null stays null. The same records make the same bytes, packed or not.
///
/// A file appears under its name only when `finish` or `keep` is called; until then an older file of that name stays.
/// If the writer ends without either call, it leaves no file. Not Sendable: one thread writes.
package final class RecordingWriter {
    private static let flushSize = 1 << 18

    private let output: RecordingOutput
    private var line = LineBuffer(capacity: flushSize + 1 << 16)
    private var isFirstHeader = true

    /// Records written so far.
    package private(set) var recordCount = 0
    /// Records that stay in the file even if a later write fails.
    private var settledCount = 0

    /// - Parameter path: "-" is standard output; a name that ends with `.gz` or `.zst` sets the compression.
    package init(path: String) throws(RecordingError) {
        output = try RecordingOutput(path: path)
    }

    deinit { line.deallocate() }

    /// The file's name for people.
    package var name: String { output.name }

    /// Bytes written to the file so far, packed; all of them once it is finished.
    package var bytesWritten: Int { output.bytesWritten }

    package func write(_ record: RecordedRecord) throws(RecordingError) {
        var topic = record.topic
        topic.withUTF8 { begin(Bytes($0), record.partition, record.offset, record.timestampType, record.timestamp) }
        add(record.headers)
        Self.lend(record.key) { key in Self.lend(record.value) { value in end(key, value) } }
        try flushIfDue()
    }

    package func write(_ record: borrowing RecordedView) throws(RecordingError) {
        begin(record.topic, record.partition, record.offset, record.timestampType, record.timestamp)
        for header in record.headerBytes { add(header.name, header.value) }
        end(record.key, record.value)
        try flushIfDue()
    }

    package func write(
        topic: Bytes, partition: Int32, offset: Int64, timestampType: RecordedRecord.TimestampType, timestamp: Int64?,
        headers: [RecordHeader] = [], key: Bytes?, value: Bytes?
    ) throws(RecordingError) {
        begin(topic, partition, offset, timestampType, timestamp)
        add(headers)
        end(key, value)
        try flushIfDue()
    }

    /// Writes a record's line. `headers` calls its argument once for each header.
    func write(
        topic: Bytes, partition: Int32, offset: Int64, timestampType: RecordedRecord.TimestampType, timestamp: Int64?,
        headers: ((Bytes, Bytes?) -> Void) -> Void, key: Bytes?, value: Bytes?
    ) throws(RecordingError) {
        begin(topic, partition, offset, timestampType, timestamp)
        headers { name, value in add(name, value) }
        end(key, value)
        try flushIfDue()
    }

    /// Writes the rest, closes the file and gives it its name. No writes are allowed afterwards.
    package func finish() throws(RecordingError) {
        try flush()
        try output.finish()
    }

    /// After an error, ends the file with the records written so far instead of removing it.
    /// - Parameter named: true: under its own name, as a file that is readable to its end; false: under a temporary
    ///   name with `.partial` in it.
    /// - Returns: nil when no file is left.
    package func keep(named: Bool) -> KeptRecording? {
        do throws(RecordingError) {
            try settle()
        } catch {}
        return output.keep(named: named).map {
            KeptRecording(name: $0, recordCount: settledCount + output.linesOfFailedWrite)
        }
    }

    // MARK: A line

    private func begin(
        _ topic: Bytes, _ partition: Int32, _ offset: Int64, _ type: RecordedRecord.TimestampType, _ timestamp: Int64?
    ) {
        line.append("{\"topic\":")
        appendText(topic)
        line.append(",\"partition\":")
        line.append(Int64(partition))
        line.append(",\"offset\":")
        line.append(offset)
        // kcat also leaves out both fields when there is no timestamp.
        if let timestamp, type != .unknown {
            line.append(type == .create ? ",\"tstype\":\"create\",\"ts\":" : ",\"tstype\":\"logappend\",\"ts\":")
            line.append(timestamp)
        }
        isFirstHeader = true
    }

    private func add(_ name: Bytes, _ value: Bytes?) {
        line.append(isFirstHeader ? ",\"headers\":[" : ",")
        isFirstHeader = false
        appendText(name)
        line.append(",")
        guard let value else { return line.append("null") }
        if !line.appendString(value) {
            line.append("{\"base64\":")
            line.appendBase64(value)
            line.append("}")
        }
    }

    private func add(_ headers: [RecordHeader]) {
        for header in headers {
            var name = header.name
            name.withUTF8 { name in Self.lend(header.value) { add(Bytes(name), $0) } }
        }
    }

    private func end(_ key: Bytes?, _ value: Bytes?) {
        if !isFirstHeader { line.append("]") }
        append(",\"key\":", ",\"key_base64\":", key)
        append(",\"payload\":", ",\"payload_base64\":", value)
        line.append("}\n")
        recordCount += 1
    }

    private func append(_ plain: StaticString, _ packed: StaticString, _ bytes: Bytes?) {
        let before = line.count
        line.append(plain)
        guard let bytes else { return line.append("null") }
        if !line.appendString(bytes) {
            line.cut(to: before)
            line.append(packed)
            line.appendBase64(bytes)
        }
    }

    /// A topic or header name. Kafka's are text; one that is not is repaired, since the format has no field for other
    /// bytes.
    private func appendText(_ name: Bytes) {
        if line.appendString(name) { return }
        var mended = String(decoding: name, as: UTF8.self)
        mended.withUTF8 { _ = line.appendString(Bytes($0)) }
    }

    private static func lend<Result>(_ bytes: [UInt8]?, _ body: (Bytes?) -> Result) -> Result {
        guard let bytes else { return body(nil) }
        return bytes.withUnsafeBytes { body($0) }
    }

    private func flushIfDue() throws(RecordingError) {
        if line.count >= Self.flushSize { try flush() }
    }

    /// Passes the buffered lines on, so that a follower of the file sees whole lines.
    package func flush() throws(RecordingError) {
        try output.write(line.bytes)
        line.removeAll()
        if output.isSettled { settledCount = recordCount }
    }

    /// Makes the records so far readable even if this process is killed. Costs a packed file a little compression: call
    /// it about once a second.
    package func settle() throws(RecordingError) {
        try flush()
        try output.settle()
        settledCount = recordCount
    }
}

/// The part of a recording that is left after an error.
package struct KeptRecording: Sendable, Equatable {
    /// The file's name for people.
    package let name: String
    /// The number of records that are certainly in it.
    package let recordCount: Int
}
