import Foundation
import Hummingbird
import Worker

/// Whether the worker turns and whether it is ready, from what its lanes report.
struct AdminHealth: Encodable, Equatable {
    enum Status: String, Encodable {
        /// Every lane turns.
        case ok
        /// Every lane turns, and what was assigned to it is caught up.
        case ready
        /// Every lane turns; some partitions' tables are not caught up yet.
        case restoring
        /// Some lane has not turned for longer than ``limit``.
        case stalled
        /// The worker was told to stop.
        case stopping
    }

    struct StalledLane: Encodable, Equatable {
        let lane: Int
        /// When it last turned: RFC 3339, UTC.
        let since: String
        /// How long ago that was, in whole seconds.
        let seconds: Int
    }

    /// How long a lane may take for a turn. A turn takes some hundred milliseconds; the calls that block in one when a broker
    /// is slow take 5 to 30 s each, and a lane with uncommitted work repeats them until the broker answers.
    static let limit = Duration.seconds(60)

    let status: Status
    /// Why not, for people; absent where all is well.
    var message: String?
    var stalledLanes: [StalledLane]?
    /// In order of their numbers.
    var restoringPartitions: [Int32]?

    var response: Response {
        switch status {
        case .ok, .ready: .json(.ok, self)
        case .restoring, .stalled, .stopping: .json(.serviceUnavailable, self)
        }
    }

    /// Whether the lanes turn.
    static func live(_ reports: [LaneReport]) -> AdminHealth {
        let stalled = stalledLanes(reports)
        return stalled.isEmpty ? AdminHealth(status: .ok) : AdminHealth(stalled)
    }

    /// Whether the lanes turn and work on all that was assigned to them; a lane that was assigned nothing has no more to do.
    static func ready(_ reports: [LaneReport], isStopping: Bool) -> AdminHealth {
        let stalled = stalledLanes(reports)
        let restoring = reports.flatMap(\.current.restoring).sorted()
        var health: AdminHealth
        if isStopping {
            health = AdminHealth(status: .stopping, message: "the worker was told to stop")
        } else if !stalled.isEmpty {
            health = AdminHealth(stalled)
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

    private init(status: Status, message: String? = nil) {
        self.status = status
        self.message = message
    }

    private init(_ stalled: [StalledLane]) {
        status = .stalled
        let lanes = stalled.map { String($0.lane) }.joined(separator: ", ")
        message =
            "lane\(stalled.count == 1 ? "" : "s") \(lanes) did not turn for more than \(Self.limit.components.seconds) s: a "
            + "broker may not answer, the log says more"
        stalledLanes = stalled
    }

    private static func stalledLanes(_ reports: [LaneReport]) -> [StalledLane] {
        reports.compactMap { report in
            let ago = ContinuousClock.now - report.current.turned
            guard ago > limit else { return nil }
            let turned = Date(timeIntervalSinceNow: -(ago / .seconds(1)))
            return StalledLane(lane: report.lane, since: turned.ISO8601Format(), seconds: Int(ago.components.seconds))
        }
    }
}
