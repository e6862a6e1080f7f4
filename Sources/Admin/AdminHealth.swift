import Bytes
import Hummingbird
import Throughput
import Worker

/// Liveness and readiness of the worker, from its lanes' reports.
struct AdminHealth: Encodable, Equatable {
    enum Status: String, Encodable {
        /// Every lane turns.
        case ok
        /// Every lane turns and commits, and all assigned partitions are caught up.
        case ready
        /// No broker has answered for ``WorkerCondition/silenceLimit``.
        case unreachable
        /// The group has not assigned some lane its partitions yet.
        case joining
        /// Some partitions' tables are not caught up yet.
        case restoring
        /// One of the worker's topics was deleted while the worker runs.
        case topicMissing = "topic-missing"
        /// Some lane has not turned for longer than ``WorkerCondition/turnLimit``, or (for readiness only) has work and
        /// has committed nothing for longer than ``MonitorOptions/commitLimit``.
        case stalled
        /// The worker was told to stop.
        case stopping
    }

    struct StalledLane: Encodable, Equatable {
        let lane: Int
        /// The time of its last turn, or since when its work stands still: RFC 3339, UTC.
        let since: String
        /// The age of `since`, in whole seconds.
        let seconds: Int
        /// For people; absent where the lane has not reported it.
        let waitingFor: String?
        /// The last error met while waiting.
        let cause: String?

        init(_ reading: LaneReading, standing: Duration) {
            let wait = reading.content.wait
            lane = reading.lane
            since = CalendarTime.rfc3339(
                seconds: Int64(LogClock.now().seconds) - standing.components.seconds)
            seconds = Int(standing.components.seconds)
            waitingFor = wait?.reason.rawValue
            cause = wait?.cause
        }
    }

    let status: Status
    /// The reason, for people; absent where all is well.
    var message: String?
    /// The first line of the worker's page; absent where all is well.
    var verdict: String?
    var stalledLanes: [StalledLane]?
    /// In ascending order.
    var restoringPartitions: [Int32]?
    var missingTopics: [String]?

    var response: Response {
        switch status {
        case .ok, .ready: .json(.ok, self)
        case .unreachable, .joining, .restoring, .topicMissing, .stalled, .stopping:
            .json(.serviceUnavailable, self)
        }
    }

    /// Liveness: whether the lanes turn.
    static func live(_ monitor: Monitor) -> AdminHealth {
        let now = ContinuousClock.now
        let stuck = monitor.reports.map { LaneReading(lane: $0.lane, content: $0.current) }
            .filter { $0.isStuck(at: now) }
        return stuck.isEmpty ? AdminHealth(status: .ok) : AdminHealth(stuck: stuck, at: now)
    }

    /// Readiness: the worker's ``WorkerCondition``, with the verdict as text. A lane that was assigned no partitions is
    /// ready.
    static func ready(_ monitor: Monitor, isStopping: Bool) -> AdminHealth {
        let now = ContinuousClock.now
        let (condition, lanes) = monitor.condition(at: now)
        let restoring = lanes.flatMap(\.content.restoring).sorted()
        var health: AdminHealth
        if isStopping {
            health = AdminHealth(status: .stopping, message: "the worker was told to stop")
        } else {
            health = AdminHealth(condition, restoring: restoring.count, at: now)
            if health.status == .ready { return health }
            // Up to a second old, so it counts only where it has the same status.
            if let verdict = monitor.latest?.verdict, verdict.kind.status == health.status {
                health.verdict = verdict.line
            }
        }
        if !restoring.isEmpty { health.restoringPartitions = restoring }
        return health
    }

    private init(_ condition: WorkerCondition, restoring: Int, at now: ContinuousClock.Instant) {
        switch condition {
        case .unreachable(let silence):
            self.init(
                status: .unreachable,
                message: "no broker has answered for \(Int(silence.seconds)) s"
                    + (silence.reason.map { ": \($0)" } ?? ""))
        case .topicMissing(let topics):
            let isOne = topics.count == 1
            self.init(
                status: .topicMissing,
                message:
                    "the topic\(isOne ? "" : "s") \(topics.joined(separator: ", ")) \(isOne ? "was" : "were") deleted "
                    + "while the worker runs; make \(isOne ? "it" : "them") anew, or stop the worker")
            missingTopics = topics
        case .stuck(let lanes):
            self.init(stuck: lanes, at: now)
        case .joining(let lanes):
            self.init(
                status: .joining,
                message: "the group has not told \(Self.names(lanes.map(\.lane))) yet which partitions to work on")
        case .stalled(let lanes):
            let stalled = lanes.map { StalledLane($0, standing: $0.standing) }
            let reason = stalled.first?.waitingFor.map { ", waiting for \($0)" } ?? " though there is work"
            self.init(
                status: .stalled,
                message: "\(Self.names(lanes.map(\.lane))) committed nothing for "
                    + "\(stalled.map(\.seconds).max() ?? 0) s\(reason); the log says more",
                stalledLanes: stalled)
        case .restoring:
            self.init(
                status: .restoring,
                message: restoring == 0
                    ? "the index of the sources is not caught up yet"
                    : "answers and votes of \(restoring) partition\(restoring == 1 ? " is" : "s are") not caught up yet"
            )
        case .working:
            self.init(status: .ready)
        }
    }

    private init(status: Status, message: String? = nil, stalledLanes: [StalledLane]? = nil) {
        self.status = status
        self.message = message
        self.stalledLanes = stalledLanes
    }

    /// Lanes that do not turn.
    private init(stuck lanes: [LaneReading], at now: ContinuousClock.Instant) {
        self.init(
            status: .stalled,
            message: "\(Self.names(lanes.map(\.lane))) did not turn for more than "
                + "\(WorkerCondition.turnLimit.components.seconds) s: a broker may not answer, the log says more",
            stalledLanes: lanes.map { StalledLane($0, standing: now - $0.content.turned) })
    }

    private static func names(_ numbers: [Int]) -> String {
        "lane\(numbers.count == 1 ? "" : "s") " + numbers.map(String.init).joined(separator: ", ")
    }
}

extension Verdict.Kind {
    /// The status in `/readyz`; nil: ready.
    fileprivate var status: AdminHealth.Status? {
        switch self {
        case .unreachable: .unreachable
        case .topicMissing: .topicMissing
        case .joining: .joining
        case .stuck, .stalled: .stalled
        case .restoring: .restoring
        case .deadLetters, .unknown, .behind, .keepingUp, .idle: nil
        }
    }
}
