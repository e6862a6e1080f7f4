import KafkaClient
import Logging

/// A lane whose outputs and offsets become final together: of questions, or of sources. What happens when they do not is the
/// same for both and stands once, in `Lane+Commit.swift`.
///
/// Everything here is called on the lane's own thread.
protocol CommittingLane: AnyObject {
    var stop: StopSignal { get }
    var logger: Logger { get }
    var report: LaneReport { get }
    var watch: LaneWatch { get }
    var consumer: GroupConsumer { get }
    var publisher: Publisher { get }
    var totals: LaneTotals { get set }
    /// As of the last commit.
    var committedTotals: LaneTotals { get }
    var pace: CommitPace { get set }
    var figures: LaneRecord { get set }
    var waitLog: WaitLog { get set }
    /// The rebalance that the last gathering met; answered once what was gathered is worked on.
    var rebalance: Rebalance? { get set }

    /// A broker refused a record, other than a dead letter, of the current transaction: the lane looks for its cause.
    func noteRefusal(_ reason: String)
    /// Commits what was produced together with the offsets that pass it.
    func commit() throws(LaneFault)
    /// What was not committed is void, and comes again.
    func forgetUncommitted()
    /// Goes back to the group's committed offsets.
    func rewind() throws
    /// Begins with partitions that were assigned to the lane, and told to the consumer.
    func take(_ places: [TopicPartition]) throws
    /// Ends with partitions; the consumer is told afterwards.
    func letGo(of places: [TopicPartition]) throws
    /// Partitions for people: by their numbers alone, where they can only be of one topic.
    func listed(_ places: [TopicPartition]) -> [Logger.MetadataValue]
    /// Takes over the output topics' partition counts as they are now.
    func refreshLayout() throws(LaneFault)
}
