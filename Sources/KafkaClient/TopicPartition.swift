/// One partition of one topic.
package struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The topic's name.
    package var topic: String
    /// Counted from 0.
    package var partition: Int32

    /// - Parameter partition: counted from 0.
    package init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    /// As Kafka's own tools write it: `answers [3]`.
    package var description: String { "\(topic) [\(partition)]" }

    /// By topic name, then by number.
    package static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}

extension Collection<TopicPartition> {
    /// The partitions for people, in order, cut after twelve.
    var listed: String {
        guard !isEmpty else { return "no partitions" }
        let shown = sorted().prefix(12).map(\.description).joined(separator: ", ")
        return count > 12 ? "\(shown) and \(count - 12) more" : shown
    }
}
