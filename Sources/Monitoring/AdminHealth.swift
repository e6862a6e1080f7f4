import Hummingbird
import Worker

/// Whether the worker turns and whether it is ready, from what its lanes report.
struct AdminHealth: Encodable, Equatable {
    enum Status: String, Encodable {
        /// Every lane turns.
        case ok
        /// Every lane turns and commits, and what was assigned to it is caught up.
        case ready
        /// The group has not told some lane yet which partitions are its own.
        case joining
        /// Some partitions' tables are not caught up yet.
        case restoring
        /// Some lane has not turned for longer than ``turnLimit``, or (only when asked whether it is ready) has committed
        /// nothing for longer than ``commitLimit`` though it has something to do.
        case stalled
        /// The worker was told to stop.
        case stopping
    }

    struct StalledLane: Encodable, Equatable {
        let lane: Int
        /// When it last turned or had everything committed: RFC 3339, UTC.
        let since: String
        /// How long ago that was, in whole seconds.
        let seconds: Int
        /// For people; absent where the lane has not said it.
        let waitingFor: String?
        /// The last error met while waiting.
        let cause: String?

        init(_ report: LaneReport, standing: Duration) {
            lane = report.lane
            since = LogClock.text(seconds: LogClock.now().seconds - Int(standing.components.seconds))
            seconds = Int(standing.components.seconds)
            let wait = report.current.wait
            waitingFor = wait?.reason.rawValue
            cause = wait?.cause
        }
    }

    /// How long a lane may take for a turn. A turn takes some hundred milliseconds; the calls that block in one when a broker
    /// is slow take 5 to 30 s each, and a lane with uncommitted work repeats them until the broker answers.
    static let turnLimit = Duration.seconds(60)
    /// How long a lane that has work may commit nothing and still be ready. Commits come many times a second; one whose broker
    /// changes takes some seconds.
    static let commitLimit = Duration.seconds(30)

    let status: Status
    /// Why not, for people; absent where all is well.
    var message: String?
    var stalledLanes: [StalledLane]?
    /// In order of their numbers.
    var restoringPartitions: [Int32]?

    var response: Response {
        switch status {
        case .ok, .ready: .json(.ok, self)
        case .joining, .restoring, .stalled, .stopping: .json(.serviceUnavailable, self)
        }
    }

    /// Whether the lanes turn.
    static func live(_ monitor: Monitor) -> AdminHealth { stuck(monitor.reports) ?? AdminHealth(status: .ok) }

    /// Whether the lanes turn and commit, and work on all that was assigned to them; a lane that was assigned nothing has no
    /// more to do.
    static func ready(_ monitor: Monitor, isStopping: Bool) -> AdminHealth {
        let lanes = monitor.reports.map { LaneReading(lane: $0.lane, content: $0.current) }
        let restoring = lanes.flatMap(\.content.restoring).sorted()
        let joining = lanes.filter(\.isJoining).map(\.lane)
        var health: AdminHealth
        if isStopping {
            health = AdminHealth(status: .stopping, message: "the worker was told to stop")
        } else if let stuck = stuck(monitor.reports) ?? uncommitted(monitor) {
            health = stuck
        } else if !joining.isEmpty {
            health = AdminHealth(
                status: .joining, message: "the group has not told \(names(joining)) yet which partitions to work on")
        } else if !restoring.isEmpty {
            let one = restoring.count == 1
            health = AdminHealth(
                status: .restoring,
                message: "answers and votes of \(restoring.count) partition\(one ? " is" : "s are") not caught up yet")
        } else {
            return AdminHealth(status: .ready)
        }
        if !restoring.isEmpty { health.restoringPartitions = restoring }
        return health
    }

    /// nil: every lane turns.
    private static func stuck(_ reports: [LaneReport]) -> AdminHealth? {
        let stalled = reports.compactMap { report in
            let ago = ContinuousClock.now - report.current.turned
            return ago > turnLimit ? StalledLane(report, standing: ago) : nil
        }
        guard !stalled.isEmpty else { return nil }
        return AdminHealth(
            status: .stalled,
            message: "\(names(stalled.map(\.lane))) did not turn for more than \(turnLimit.components.seconds) s: a "
                + "broker may not answer, the log says more",
            stalledLanes: stalled)
    }

    /// nil: every lane that has work commits.
    private static func uncommitted(_ monitor: Monitor) -> AdminHealth? {
        let stalled = zip(monitor.reports, monitor.standing).filter { $1 > commitLimit }
            .map { StalledLane($0, standing: $1) }
        guard let first = stalled.first else { return nil }
        let reason = first.waitingFor.map { ", waiting for \($0)" } ?? " though there is work"
        return AdminHealth(
            status: .stalled,
            message:
                "\(names(stalled.map(\.lane))) committed nothing for more than \(commitLimit.components.seconds) s"
                + "\(reason); the log says more",
            stalledLanes: stalled)
    }

    private static func names(_ numbers: [Int]) -> String {
        "lane\(numbers.count == 1 ? "" : "s") " + numbers.map(String.init).joined(separator: ", ")
    }
}
