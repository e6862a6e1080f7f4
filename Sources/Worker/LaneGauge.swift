/// One gauge of a lane: a figure at a moment, which a lane may have or not. A new gauge is a row here: the throughput log,
/// its reader and `/metrics` walk the table.
package struct LaneGauge: Sendable {
    package enum Combination: Sendable {
        case sum
        case largest
    }

    /// Its name in the throughput log; never renamed.
    package let field: String
    /// For a report: a noun phrase.
    package let title: String
    /// Its family in `/metrics`, one series a lane.
    package let metric: String
    /// A sentence.
    package let help: String
    /// How the worker's figure comes of the lanes'.
    package let overLanes: Combination
    /// nil: the lane has none at this moment.
    package let value: @Sendable (LaneReport.Content, ContinuousClock.Instant) -> Double?

    package static let all: [LaneGauge] = [
        LaneGauge(
            field: "uncommittedSeconds", title: "age of the oldest uncommitted work",
            metric: "rejoinder_uncommitted_seconds",
            help: "For how long the lane has had work that is not committed; nothing while all is.", overLanes: .largest
        ) { content, now in content.uncommittedSince.map { ($0.duration(to: now)) / .seconds(1) } }
    ]
}
