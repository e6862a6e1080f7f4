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
        ) { content, now in content.uncommittedSince.map { ($0.duration(to: now)) / .seconds(1) } },
        LaneGauge(
            field: "waitingQuestions", title: "questions that wait to be published again",
            metric: "rejoinder_waiting_questions",
            help:
                "Questions whose changes are not published yet; nothing unless published records follow changes (publish.on).",
            overLanes: .sum
        ) { content, _ in content.waiting.map { Double($0.questions) } },
        LaneGauge(
            field: "waitingQuestionsSeconds", title: "age of the oldest unpublished change",
            metric: "rejoinder_waiting_questions_seconds",
            help: "For how long the oldest of these questions has waited; 0 while none waits.", overLanes: .largest
        ) { content, now in
            content.waiting.map { waiting in waiting.since.map { $0.duration(to: now) / .seconds(1) } ?? 0 }
        },
        LaneGauge(
            field: "coalesceSeconds", title: "publish.coalesceMs, in seconds", metric: "rejoinder_coalesce_seconds",
            help: "The window after which a changed question is published again (publish.coalesceMs).",
            overLanes: .largest
        ) { content, _ in content.waiting.map { $0.coalesce / .seconds(1) } },
    ]
}
