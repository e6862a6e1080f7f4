/// One gauge of a lane: a figure at a moment, which a lane may have or not. A new gauge is a case here, and its value
/// one in `LaneGauge+Value.swift`: the throughput log, its reader and `/metrics` walk the cases.
package enum LaneGauge: Sendable, CaseIterable {
    /// Work that is not committed.
    case uncommitted
    /// Questions that wait to be published again.
    case waitingQuestions
    case waitingAge
    /// ``PublishMode/coalesce``, beside which the age is judged.
    case coalesce

    /// The rule that makes the worker's figure of the lanes'.
    package enum Combination: Sendable {
        case sum
        case largest
    }

    /// The unit of the figure, by which readers format it.
    package enum Unit: Sendable {
        case count
        case seconds
    }

    /// Its name in the throughput log; never renamed.
    package var field: String {
        switch self {
        case .uncommitted: "uncommittedSeconds"
        case .waitingQuestions: "waitingQuestions"
        case .waitingAge: "waitingQuestionsSeconds"
        case .coalesce: "coalesceSeconds"
        }
    }

    /// For a report: a noun phrase.
    package var title: String {
        switch self {
        case .uncommitted: "age of the oldest uncommitted work"
        case .waitingQuestions: "questions that wait to be published again"
        case .waitingAge: "age of the oldest unpublished change"
        case .coalesce: "publish.coalesceMs, in seconds"
        }
    }

    /// The same in the log, the report and `/metrics`.
    package var unit: Unit {
        switch self {
        case .waitingQuestions: .count
        case .uncommitted, .waitingAge, .coalesce: .seconds
        }
    }

    /// Whether it is a setting, so that neither more nor less of it is better.
    package var isSetting: Bool { self == .coalesce }

    /// Its family in `/metrics`, one series a lane.
    package var metric: String {
        switch self {
        case .uncommitted: "rejoinder_uncommitted_seconds"
        case .waitingQuestions: "rejoinder_waiting_questions"
        case .waitingAge: "rejoinder_waiting_questions_seconds"
        case .coalesce: "rejoinder_coalesce_seconds"
        }
    }

    /// A sentence.
    package var help: String {
        switch self {
        case .uncommitted: "For how long the lane has had work that is not committed; nothing while all is."
        case .waitingQuestions:
            "Questions whose changes are not published yet; nothing unless published records follow changes "
                + "(publish.on)."
        case .waitingAge: "For how long the oldest of these questions has waited; 0 while none waits."
        case .coalesce: "The window after which a changed question is published again (publish.coalesceMs)."
        }
    }

    /// How the worker's figure is made from the lanes'.
    package var overLanes: Combination {
        switch self {
        case .waitingQuestions: .sum
        case .uncommitted, .waitingAge, .coalesce: .largest
        }
    }
}
