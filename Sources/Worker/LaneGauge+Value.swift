extension LaneGauge {
    /// Of a lane that reports this; nil: it has none at this moment.
    package func value(_ content: LaneReport.Content, _ now: ContinuousClock.Instant) -> Double? {
        switch self {
        case .uncommitted: content.uncommittedSince.map { $0.duration(to: now) / .seconds(1) }
        case .waitingQuestions: content.waiting.map { Double($0.questions) }
        case .waitingAge:
            content.waiting.map { waiting in waiting.since.map { $0.duration(to: now) / .seconds(1) } ?? 0 }
        case .coalesce: content.waiting.map { $0.coalesce / .seconds(1) }
        }
    }
}
