/// What a ``Monitor`` goes by.
package struct MonitorOptions: Sendable {
    /// Milliseconds.
    package static let standardObjective = 5000

    /// Between two lines of the log; whole seconds.
    package var interval: Duration
    /// How fresh the output is to be, by the events' own timestamps, in milliseconds.
    package var objectiveMilliseconds: Int
    /// How long a lane that has work may commit nothing.
    package var commitLimit: Duration

    /// - Parameter commitInterval: the lanes' own: a lane that may rest between commits is not stalled while it does.
    package init(
        interval: Duration, objectiveMilliseconds: Int = standardObjective, commitInterval: Duration = .zero
    ) {
        self.interval = interval
        self.objectiveMilliseconds = objectiveMilliseconds
        commitLimit = max(WorkerCondition.commitLimit, commitInterval * 3)
    }
}
