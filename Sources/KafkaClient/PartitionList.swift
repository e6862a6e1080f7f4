import CRDKafka

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Owns one of librdkafka's partition lists.
final class PartitionList {
    private let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    /// Partitions with librdkafka's "no offset", which stands for the committed one where an offset matters.
    init(_ partitions: some Collection<TopicPartition>) {
        pointer = rd_kafka_topic_partition_list_new(Int32(clamping: partitions.count))
        for partition in partitions {
            rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)
        }
    }

    init(_ offsets: [TopicPartition: Int64]) {
        pointer = rd_kafka_topic_partition_list_new(Int32(clamping: offsets.count))
        for (partition, offset) in offsets {
            rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition).pointee.offset = offset
        }
    }

    /// - Parameter notes: texts to store with some of the offsets.
    convenience init(_ offsets: [TopicPartition: Int64], notes: [TopicPartition: String]) {
        self.init(offsets)
        if !notes.isEmpty { lend { Self.add(notes, to: $0) } }
    }

    private static func add(
        _ notes: [TopicPartition: String], to list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) {
        for (partition, note) in notes {
            guard
                let element = rd_kafka_topic_partition_list_find(list, partition.topic, partition.partition),
                // librdkafka frees it with the list, so the memory must come from malloc.
                let memory = malloc(max(1, note.utf8.count))
            else { continue }
            let bytes = Array(note.utf8)
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: memory, count: $0.count).copyMemory(from: $0) }
            element.pointee.metadata = memory
            element.pointee.metadata_size = bytes.count
        }
    }

    /// Takes ownership of a list that librdkafka returned.
    init(owning pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        self.pointer = pointer
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    /// Lends the list for one call. The pointer has no other way out: Swift frees an object after its last use, which
    /// could be before the call that uses the pointer.
    func lend<Result>(_ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> Result) -> Result {
        withExtendedLifetime(self) { body(pointer) }
    }

    struct Element {
        let partition: TopicPartition
        let offset: Int64
        let error: rd_kafka_resp_err_t
        /// Empty where no text is stored with the offset.
        let note: String
    }

    var elements: [Element] { lend { Self.elements(of: $0) } }

    static func elements(of list: UnsafePointer<rd_kafka_topic_partition_list_t>) -> [Element] {
        guard let elements = list.pointee.elems else { return [] }
        return (0..<Int(list.pointee.cnt)).compactMap { index in
            let element = elements[index]
            guard let topic = element.topic else { return nil }
            return Element(
                partition: TopicPartition(topic: String(cString: topic), partition: element.partition),
                offset: element.offset, error: element.err,
                note: element.metadata.map {
                    String(decoding: UnsafeRawBufferPointer(start: $0, count: element.metadata_size), as: UTF8.self)
                } ?? "")
        }
    }

    /// Copies the partitions out of a list that librdkafka still owns.
    static func read(_ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) -> [TopicPartition] {
        list.map { elements(of: $0).map(\.partition) } ?? []
    }

    /// The first partition that has an error of its own.
    var firstFailure: Element? { elements.first { $0.error != RD_KAFKA_RESP_ERR_NO_ERROR } }
}
