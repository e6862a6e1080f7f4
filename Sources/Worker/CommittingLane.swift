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

    /// A broker refused a record, other than a dead letter, of the current transaction: the lane looks for its cause.
    func noteRefusal(_ reason: String)
    /// Commits what was produced together with the offsets that pass it.
    func commit() throws(LaneFault)
    /// What was not committed is void, and comes again.
    func forgetUncommitted()
    /// Goes back to the group's committed offsets.
    func rewind() throws
    /// Takes over the output topics' partition counts as they are now.
    func refreshLayout() throws(LaneFault)
}
