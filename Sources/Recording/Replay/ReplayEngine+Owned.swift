import Bytes
import KafkaClient

extension ReplayEngine {
    /// Processes a record that is not in a file, as `feed` of a view does. Copies the record, so it is for tests and
    /// the like.
    package func feed(_ record: RecordedRecord, into sink: some ReplaySink) throws {
        var bytes = Array(record.topic.utf8)
        /// Places of each header's name and value in `bytes`.
        var places: [(name: Range<Int>, value: Range<Int>?)] = []
        func append(_ piece: some Collection<UInt8>) -> Range<Int> {
            let start = bytes.count
            bytes.append(contentsOf: piece)
            return start..<bytes.count
        }
        let topic = 0..<bytes.count
        for header in record.headers { places.append((append(header.name.utf8), header.value.map { append($0) })) }
        let key = record.key.map { append($0) }
        let value = record.value.map { append($0) }
        try bytes.withUnsafeBytes { bytes in
            func piece(_ range: Range<Int>) -> Bytes { Bytes(rebasing: bytes[range]) }
            let headers = places.map {
                RecordedView.Header(name: piece($0.name), value: $0.value.map(piece))
            }
            try headers.withUnsafeBufferPointer { headers in
                try feed(
                    RecordedView(
                        topic: piece(topic), partition: record.partition, offset: record.offset,
                        timestampType: record.timestampType, timestamp: record.timestamp, headerBytes: headers,
                        key: key.map(piece), value: value.map(piece)),
                    into: sink)
            }
        }
    }
}
