import Bytes
import Foundation
import KafkaClient
import Records

/// A record as bytes that are equal for equal records: all of it but the offset and the timestamp's type, which a file
/// may omit. The question's part, topic and key, comes first.
struct RecordImage {
    private(set) var bytes: [UInt8] = []
    /// The length of the question's part.
    private(set) var questionLength = 0

    /// Begins another record with its question. Keeps the memory.
    mutating func begin(topic: Bytes, key: Bytes?) {
        bytes.removeAll(keepingCapacity: true)
        append(topic.count)
        append(key?.count ?? -1)
        bytes.append(contentsOf: topic)
        if let key { bytes.append(contentsOf: key) }
        questionLength = bytes.count
    }

    /// Completes the record that `begin` began.
    mutating func end(_ output: ReplayOutput) {
        appendPlace(output.partition, output.timestamp, output.value, headers: output.headers.count)
        for header in output.headers {
            var name = header.name
            name.withUTF8 { name in
                guard let value = header.value else { return append(Bytes(name), nil) }
                value.withUnsafeBytes { append(Bytes(name), $0) }
            }
        }
        if let value = output.value { bytes.append(contentsOf: value) }
    }

    /// Completes the record that `begin` began.
    mutating func end(_ view: RecordedView) {
        appendPlace(view.partition, view.timestamp, view.value, headers: view.headerBytes.count)
        for header in view.headerBytes { append(header.name, header.value) }
        if let value = view.value { bytes.append(contentsOf: value) }
    }

    /// A copy without spare memory.
    var copy: RecordImage {
        var copy = RecordImage()
        copy.bytes = bytes.withUnsafeBytes(Array.init)
        copy.questionLength = questionLength
        return copy
    }

    var question: QuestionKey {
        QuestionKey(hash: questionHash, bytes: Array(bytes[..<questionLength]))
    }

    /// With a seed of this process.
    var questionHash: Int {
        var hasher = Hasher()
        bytes.withUnsafeBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[..<questionLength])) }
        return hasher.finalize()
    }

    /// For people.
    var label: QuestionLabel {
        var reader = ImageReader(bytes: bytes)
        let (topic, key) = reader.question()
        return QuestionLabel(
            topic: Excerpt.text(topic, limit: 249), key: key == nil ? "(no key)" : Excerpt.bytes(key, limit: 200))
    }

    /// The record, without its offset.
    var record: RecordedRecord {
        var reader = ImageReader(bytes: bytes)
        let (topic, key) = reader.question()
        let partition = Int32(truncatingIfNeeded: reader.integer())
        let hasTime = reader.integer() == 1
        let time = Int64(reader.integer())
        let valueCount = reader.integer()
        let headers = (0..<reader.integer()).map { _ in
            let (nameCount, valueCount) = (reader.integer(), reader.integer())
            return RecordHeader(
                name: String(decoding: reader.take(nameCount), as: UTF8.self),
                value: valueCount < 0 ? nil : Array(reader.take(valueCount)))
        }
        return RecordedRecord(
            topic: topic, partition: partition, offset: 0, timestamp: hasTime ? time : nil, headers: headers, key: key,
            value: valueCount < 0 ? nil : Array(reader.take(valueCount)))
    }

    static func areEqual(_ left: borrowing RecordImage, _ right: borrowing RecordImage) -> Bool {
        left.bytes.withUnsafeBytes { left in right.bytes.withUnsafeBytes { left.isEqual(to: $0) } }
    }

    // MARK: - Parts

    private mutating func appendPlace(_ partition: Int32, _ timestamp: Int64?, _ value: Bytes?, headers: Int) {
        append(Int(partition))
        append(timestamp == nil ? 0 : 1)
        append(Int(timestamp ?? 0))
        append(value?.count ?? -1)
        append(headers)
    }

    private mutating func append(_ name: Bytes, _ value: Bytes?) {
        append(name.count)
        append(value?.count ?? -1)
        bytes.append(contentsOf: name)
        if let value { bytes.append(contentsOf: value) }
    }

    private mutating func append(_ number: Int) {
        withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
    }
}

/// A question in an output topic.
struct QuestionKey: Hashable {
    let hash: Int
    /// The question's part of a ``RecordImage``.
    let bytes: [UInt8]

    func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}

/// Reads the bytes of a ``RecordImage``.
private struct ImageReader {
    let bytes: [UInt8]
    private var place = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func integer() -> Int {
        defer { place += MemoryLayout<Int>.size }
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: Int.self) }
    }

    mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        defer { place += count }
        return bytes[place..<place + count]
    }

    mutating func question() -> (topic: String, key: [UInt8]?) {
        let (topicCount, keyCount) = (integer(), integer())
        return (String(decoding: take(topicCount), as: UTF8.self), keyCount < 0 ? nil : Array(take(keyCount)))
    }
}
