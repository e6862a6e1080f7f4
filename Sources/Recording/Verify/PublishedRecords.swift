import Bytes
import KafkaClient
import Records
import Worker

/// The enriched records of one partition of the questions, in the order of their events, with the findings made while
/// they were read. Not Sendable.
final class PublishedRecords {
    /// Bits of a sorted record's tag.
    enum Mark {
        /// The record follows the record of a later event.
        static let late: UInt8 = 1
        /// A table change caused the record, so neither its number nor its place can be judged.
        static let caused: UInt8 = 2
        /// The value was left out, as the question is not in the sample.
        static let valueless: UInt8 = 4
        static let tombstone: UInt8 = 8
    }

    /// The first record whose key has occurred before: a compacted log may have been cleaned up to there.
    private(set) var firstRepeat: (output: Int64, source: Int64)?
    /// The event offset of the first record.
    private(set) var firstSource: Int64?
    private(set) var strayLines: [(provenance: Provenance?, output: Int64, key: String, line: String)] = []
    private let sorter: RecordSorter
    private let source: TopicPartition
    private let events: OffsetRange
    /// Whether records keep the partition number of their event.
    private let keepsNumber: Bool
    private let isSampled: (Bytes?) -> Bool
    /// nil: records do not follow changes, or not all events are looked at.
    private let latest: LatestRecords?
    private var seenKeys: Set<UInt64> = []
    /// The number of records without a header, by key and timestamp.
    private var headerless: [UInt64: Int] = [:]
    private var last: Int64 = -1

    static let maxHeaderless = 4_000_000

    init(
        of source: TopicPartition, events: OffsetRange, keepsNumber: Bool, sorter: RecordSorter,
        isSampled: @escaping (Bytes?) -> Bool, latest: LatestRecords?
    ) {
        self.source = source
        self.latest = latest
        self.events = events
        self.keepsNumber = keepsNumber
        self.sorter = sorter
        self.isSampled = isSampled
    }

    /// Takes a record of the output topic, in the order of its partition.
    func take(_ message: ConsumedMessage) throws {
        var value: [UInt8]??
        var isCaused = false
        message.forEachHeader { name, bytes in
            if Provenance.isName(name) { value = bytes.map(Array.init) }
            if name.elementsEqual("rejoinder.cause".utf8) { isCaused = true }
        }
        guard let value else {
            // Without the header the record's event is unknown.
            if headerless.count < Self.maxHeaderless {
                headerless[KeyDigest.of(message.key, time: message.timestamp), default: 0] += 1
            }
            return
        }
        guard let from = value.flatMap({ Provenance($0) }) else {
            return stray(nil, message, "its header rejoinder.from cannot be read: \(Excerpt.bytes(value))")
        }
        guard from.partition == source.partition else {
            if keepsNumber {
                stray(
                    from, message,
                    "it stands in partition \(message.partition) and comes of partition \(from.partition)")
            }
            return
        }
        if firstSource == nil { firstSource = from.offset }
        if firstRepeat == nil, !seenKeys.insert(KeyDigest.of(message.key, time: nil)).inserted {
            firstRepeat = (message.offset, from.offset)
            seenKeys = []
        }
        // Skips records of events outside the window: a false position in a header must not affect the order inside it.
        guard events.contains(from.offset) else { return }
        let isLate = from.offset < last
        if !isCaused { last = max(last, from.offset) }
        var tag: UInt8 = isLate && !isCaused ? Mark.late : 0
        if isCaused { tag |= Mark.caused }
        if message.value == nil { tag |= Mark.tombstone }
        let isKept = isSampled(message.key)
        if isKept { latest?.note(message, from: from) }
        if !isKept { tag |= Mark.valueless }
        let headers = PackedHeaders.pack(message.headers)
        try headers.withUnsafeBytes { headers in
            try sorter.append(
                SortedRecord(
                    rank: from.offset, offset: message.offset, time: message.timestamp ?? -1, tag: tag,
                    key: message.key, value: isKept ? message.value : nil, headers: headers))
        }
    }

    /// Whether a record without a header may belong to this event. Each such record counts for one event only.
    func takeHeaderless(key: Bytes?, time: Int64?) -> Bool {
        let digest = KeyDigest.of(key, time: time)
        guard let count = headerless[digest] else { return false }
        headerless[digest] = count > 1 ? count - 1 : nil
        return true
    }

    func sorted() throws(WorkerError) -> SortedRecords { try sorter.sorted() }

    private func stray(_ from: Provenance?, _ message: ConsumedMessage, _ line: String) {
        if strayLines.count < VerificationReport.kept {
            strayLines.append((from, message.offset, Excerpt.bytes(message.key.map(Array.init)), line))
        }
    }
}

/// A 64-bit hash of a key, the same in each run (FNV-1a): for samples and for sets that hold no keys.
enum KeyDigest {
    static func of(_ key: Bytes?, time: Int64?) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        if let key { for byte in key { mix(byte) } } else { mix(0xFF) }
        if let time { withUnsafeBytes(of: time) { for byte in $0 { mix(byte) } } }
        // FNV's high bits are weaker than its low ones.
        hash ^= hash >> 32
        return hash &* 0x9E37_79B9_7F4A_7C15
    }
}
