import KafkaClient
import Logging

/// A lane that commits its outputs and offsets together: of questions, or of sources. The recovery from faults is the
/// same for both, in `Lane+Commit.swift`.
///
/// All members are called on the lane's own thread.
protocol CommittingLane: AnyObject {
    var stop: StopSignal { get }
    var logger: Logger { get }
    var report: LaneReport { get }
    var watch: LaneWatch { get }
    var consumer: GroupConsumer { get }
    var publisher: Publisher { get }
    var totals: LaneTotals { get set }
    /// ``totals`` as of the last commit.
    var committedTotals: LaneTotals { get }
    var pace: CommitPace { get set }
    var figures: LaneRecord { get set }
    var waitLog: WaitLog { get set }
    /// The rebalance that the last gathering met; answered once the gathered batch is worked on.
    var rebalance: Rebalance? { get set }

    /// The partitions that the consumer has been assigned, as far as the lane has begun with them.
    var owned: [TopicPartition] { get }

    /// Partitions of which neither a record nor the end has come since they were resumed.
    var unread: [UnreadPartition] { get }

    /// Begins the search for the input of a record of the transaction, not a dead letter, that a broker refused.
    func noteRefusal(_ reason: String)
    /// Commits the produced records together with the offsets after their inputs.
    func commit() throws(LaneFault)
    /// Forgets uncommitted work: its records are read again.
    func forgetUncommitted()
    /// Returns to the group's committed offsets.
    func rewind() throws
    /// Begins work on partitions that the consumer has been assigned, paused.
    func take(_ places: [TopicPartition]) throws
    /// Ends work on partitions, before the consumer unassigns them.
    func letGo(of places: [TopicPartition]) throws
    /// Partitions for people: the numbers alone where all are of one topic.
    func listed(_ places: [TopicPartition]) -> [Logger.MetadataValue]
    /// Updates the output topics' partition counts.
    func refreshLayout() throws(LaneFault)
}
