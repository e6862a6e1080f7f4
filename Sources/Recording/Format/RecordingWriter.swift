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
    private var lines = RecordLines(capacity: flushSize + 1 << 16)
    /// The hash of the lines; nil: the recording has no manifest.
    private let digest: LineDigest?
    private var isBegun = false

    /// Records written so far.
    package var recordCount: Int { lines.recordCount }
    /// Records that stay in the file even if a later write fails.
    private var settledCount = 0

    /// - Parameters:
    ///   - path: "-" is standard output; a name that ends with `.gz` or `.zst` sets the compression.
    ///   - hasManifest: whether `finish` and `keep` get a manifest. The first line announces it, so that its absence is
    ///     noticed.
    package init(path: String, hasManifest: Bool = false) throws(RecordingError) {
        output = try RecordingOutput(path: path)
        digest = hasManifest ? LineDigest() : nil
    }

    /// The file's name for people.
    package var name: String { output.name }

    /// Bytes written to the file so far, packed; all of them once it is finished.
    package var bytesWritten: Int { output.bytesWritten }

    /// Writes a record that owns its bytes.
    /// - Throws: when the buffer is full and the file cannot take it.
    package func write(_ record: RecordedRecord) throws(RecordingError) {
        var topic = record.topic
        topic.withUTF8 {
            lines.begin(Bytes($0), record.partition, record.offset, record.timestampType, record.timestamp)
        }
        lines.add(record.headers)
        Bytes.lend(optional: record.key) { key in Bytes.lend(optional: record.value) { value in lines.end(key, value) }
        }
        try flushIfDue()
    }

    /// Writes a record from a reader's memory, without a copy of its own.
    /// - Throws: when the buffer is full and the file cannot take it.
    package func write(_ record: borrowing RecordedView) throws(RecordingError) {
        lines.begin(record.topic, record.partition, record.offset, record.timestampType, record.timestamp)
        for header in record.headerBytes { lines.add(header.name, header.value) }
        lines.end(record.key, record.value)
        try flushIfDue()
    }

    /// Writes a record of borrowed bytes; they are copied before the call returns.
    /// - Throws: when the buffer is full and the file cannot take it.
    package func write(
        topic: Bytes, partition: Int32, offset: Int64, timestampType: RecordedRecord.TimestampType, timestamp: Int64?,
        headers: [RecordHeader] = [], key: Bytes?, value: Bytes?
    ) throws(RecordingError) {
        lines.begin(topic, partition, offset, timestampType, timestamp)
        lines.add(headers)
        lines.end(key, value)
        try flushIfDue()
    }

    /// Writes a record's line. `headers` calls its argument once for each header.
    func write(
        topic: Bytes, partition: Int32, offset: Int64, timestampType: RecordedRecord.TimestampType, timestamp: Int64?,
        headers: ((Bytes, Bytes?) -> Void) -> Void, key: Bytes?, value: Bytes?
    ) throws(RecordingError) {
        lines.begin(topic, partition, offset, timestampType, timestamp)
        headers { name, value in lines.add(name, value) }
        lines.end(key, value)
        try flushIfDue()
    }

    /// Writes the rest, closes the file and gives it its name. No writes are allowed afterwards.
    /// - Parameter manifest: for a writer with one; number and hash of the records are filled in.
    package func finish(_ manifest: RecordingManifest? = nil) throws(RecordingError) {
        try flush()
        if let manifest { try write(manifest) }
        try output.finish()
    }

    /// After an error, ends the file with the records written so far instead of removing it.
    /// - Parameters:
    ///   - named: true: under its own name, as a file that is readable to its end; false: under a temporary name with
    ///     `.partial` in it.
    ///   - manifest: as for `finish`. Left out when writing has failed.
    /// - Returns: nil when no file is left.
    package func keep(named: Bool, _ manifest: RecordingManifest? = nil) -> KeptRecording? {
        do throws(RecordingError) {
            try settle()
            if let manifest { try write(manifest) }
        } catch {}
        return output.keep(named: named).map {
            KeptRecording(name: $0, recordCount: settledCount + output.linesOfFailedWrite)
        }
    }

    private func flushIfDue() throws(RecordingError) {
        if lines.count >= Self.flushSize { try flush() }
    }

    /// Passes the buffered lines on, so that a follower of the file sees whole lines.
    package func flush() throws(RecordingError) {
        guard lines.count > 0 else { return }
        if digest != nil {
            if !isBegun { try Bytes.lend(Array(RecordingMark.firstLine.utf8), to: output.write) }
            isBegun = true
            digest?.add(lines.bytes)
        }
        try output.write(lines.bytes)
        lines.removeAll()
        if output.isSettled { settledCount = recordCount }
    }

    /// Writes the last line.
    private func write(_ manifest: RecordingManifest) throws(RecordingError) {
        guard isBegun, let hash = digest?.finish() else { return }
        var manifest = manifest
        manifest.records = recordCount
        manifest.sha256 = hash
        try Bytes.lend(RecordingMark.lastLine(manifest), to: output.write)
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
