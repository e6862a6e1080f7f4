/// A ``Monitor``'s options.
package struct MonitorOptions: Sendable {
    /// The interval between two lines of the log; whole seconds.
    package var interval: Duration
    /// The freshness objective, by the events' own timestamps, in milliseconds.
    package var objectiveMilliseconds: Int
    /// How long a lane with work may commit nothing.
    var commitLimit: Duration

    /// - Parameter commitInterval: the lanes' setting: a lane that rests between commits is not stalled.
    package init(
        interval: Duration, objectiveMilliseconds: Int = Backlog.standardObjective, commitInterval: Duration = .zero
    ) {
        self.interval = interval
        self.objectiveMilliseconds = objectiveMilliseconds
        commitLimit = max(WorkerCondition.commitLimit, commitInterval * 3)
    }
}
