import Logging
import Worker

/// Logs stalled lanes, and the reason why they wait.
struct StallLog: Sendable {
    let logger: Logger

    func write(_ finding: StallWatch.Finding, at now: ContinuousClock.Instant) {
        switch finding {
        case .stalled(let lane, let duration):
            logger.warning("stalled", metadata: metadata(of: lane, stalledFor: duration, at: now))
        case .recovered(let lane, let duration):
            logger.info(
                "no longer stalled",
                metadata: ["lane": .stringConvertible(lane), "seconds": .stringConvertible(Self.seconds(duration))])
        }
    }

    private func metadata(
        of lane: LaneReading, stalledFor duration: Duration, at now: ContinuousClock.Instant
    ) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "lane": .stringConvertible(lane.lane),
            "seconds": .stringConvertible(Self.seconds(duration)),
            "lag": .stringConvertible(lane.lag),
        ]
        if let largest = lane.content.lags.max(by: { $0.records < $1.records }), largest.records > 0 {
            metadata["largest"] = "\(largest.place)"
        }
        if let wait = lane.content.wait {
            metadata["waitingFor"] = "\(wait.reason.rawValue)"
            metadata["waitingSeconds"] = .stringConvertible(Self.seconds(now - wait.since))
            if let cause = wait.cause { metadata["cause"] = "\(cause)" }
        } else {
            metadata["waitingFor"] = "unknown: the lane has not said"
            metadata["lastTurnSeconds"] = .stringConvertible(Self.seconds(now - lane.content.turned))
        }
        return metadata
    }

    private static func seconds(_ duration: Duration) -> Int64 { duration.components.seconds }
}
