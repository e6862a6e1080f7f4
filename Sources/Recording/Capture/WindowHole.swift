import KafkaClient

/// Offsets of a window whose records the brokers no longer had when their turn came.
package struct WindowHole: Sendable, Equatable {
    /// The reason why the records are gone.
    package enum Cause: Sendable, Equatable {
        /// Retention, or `kafka-delete-records`, deleted the log's beginning.
        case deleted
        /// The log's end was truncated: a leader that lacked some of it took over.
        case truncated
    }

    /// The partition that lacks them.
    package let partition: TopicPartition
    /// The offsets not read; some may never have held a record.
    package let offsets: Range<Int64>
    /// The reason, as far as the log's present bounds tell it.
    package let cause: Cause

    /// - Parameter offsets: not empty.
    package init(partition: TopicPartition, offsets: Range<Int64>, cause: Cause) {
        self.partition = partition
        self.offsets = offsets
        self.cause = cause
    }

    /// A sentence for people, without its end.
    package var description: String {
        let range = "offsets \(offsets.lowerBound) to \(offsets.upperBound - 1) of \(partition)"
        return switch cause {
        case .deleted: "\(range) were deleted by the broker (retention) before they were read"
        case .truncated: "\(range) are gone: the partition's log was cut there"
        }
    }
}
