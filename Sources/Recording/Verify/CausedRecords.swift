import Bytes
import KafkaClient
import Worker

/// Records that table changes caused, with their events, in the order of the tables' positions. In the order of their
/// events, nearly each of them would need earlier tables than the record before. Not Sendable.
final class CausedRecords {
    private let place: TopicPartition
    private let sorter: RecordSorter
    private var count: Int64 = 0

    init(of place: TopicPartition, sorter: RecordSorter) {
        self.place = place
        self.sorter = sorter
    }

    /// Keeps a record and its event; their bytes are copied.
    func append(_ event: ConsumedMessage, _ record: SortedRecord, from: Provenance) throws {
        // Both positions only grow, so their sum has the order of time.
        let rank = from.answers + from.votes
        let headers = PackedHeaders.pack(event)
        try headers.withUnsafeBytes { headers in
            try sorter.append(
                SortedRecord(
                    rank: rank, offset: 2 * count, time: event.timestamp ?? -1, tag: 0, key: event.key,
                    value: event.value, headers: headers))
        }
        var record = record
        record.rank = rank
        record.offset = 2 * count + 1
        try sorter.append(record)
        count += 1
    }

    /// Hands out each event with its record. Call once.
    func each(_ body: (_ event: RecordedRecord, _ record: SortedRecord) throws -> Void) throws {
        let records = try sorter.sorted()
        while let head = records.head {
            let event = RecordedRecord(
                topic: place.topic, partition: place.partition, offset: 0, timestamp: head.timestamp,
                headers: PackedHeaders(head.headers).headers, key: head.key.map(Array.init),
                value: head.value.map(Array.init))
            try records.advance()
            guard let record = records.head else { return }
            try body(event, record)
            try records.advance()
        }
    }
}
