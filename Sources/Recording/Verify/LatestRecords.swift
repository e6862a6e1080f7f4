import Bytes
import KafkaClient
import Records
import Worker

/// The latest event and the latest published record of each question of one partition: which records lack changes of
/// the tables. For workers that publish on changes. It keeps hashes, about 100 bytes a question. Not Sendable.
final class LatestRecords {
    struct Record {
        /// Offset in the output.
        var output: Int64
        var from: Provenance
        /// Hash of the value.
        var digest: UInt64
    }

    /// How many questions of a partition are judged.
    static let most = 4_000_000

    /// The offsets that the group had committed before the output was read: all changes below are published.
    let committed: (answers: Int64, votes: Int64)
    private(set) var isFull = false
    private var events: [UInt64: Int64] = [:]
    private var records: [UInt64: Record] = [:]

    init(committed: (answers: Int64, votes: Int64)) { self.committed = committed }

    /// Notes an event that is no dead letter, in the order of the topic.
    func note(_ event: ConsumedMessage) {
        let digest = KeyDigest.of(event.key, time: nil)
        guard events.count < Self.most || events[digest] != nil else {
            isFull = true
            return
        }
        events[digest] = event.offset
    }

    /// Notes a published record, in the order of the output.
    func note(_ record: ConsumedMessage, from: Provenance) {
        let digest = KeyDigest.of(record.key, time: nil)
        guard records.count < Self.most || records[digest] != nil else {
            isFull = true
            return
        }
        records[digest] = Record(output: record.offset, from: from, digest: KeyDigest.of(record.value, time: nil))
    }

    /// The record that stands for a question's latest event, made before the tables' committed offsets; nil: there is
    /// none. A record made later holds all that was committed.
    func record(toJudge event: ConsumedMessage) -> Record? {
        let digest = KeyDigest.of(event.key, time: nil)
        guard event.value != nil, events[digest] == event.offset, let record = records[digest],
            record.from.offset == event.offset, record.from.answers <= committed.answers,
            record.from.votes <= committed.votes,
            record.from.answers < committed.answers || record.from.votes < committed.votes
        else { return nil }
        return record
    }
}
