import Worker

/// What a ``Monitor`` hands on once a second.
package struct MonitorTick: Sendable {
    /// The second as a line.
    package var line: ThroughputLine
    /// What the lanes reported, one each: totals since they began, latencies of this second.
    package var contents: [LaneReport.Content]
    /// How long the second was; longer where the process was held up.
    package var seconds: Double

    package init(line: ThroughputLine, contents: [LaneReport.Content], seconds: Double) {
        self.line = line
        self.contents = contents
        self.seconds = seconds
    }
}

/// Whoever wants to know of every second.
package protocol MonitorSink: Sendable {
    /// Called once a second from one of Swift's cooperative threads, never from two at once; it may not block.
    func note(_ tick: MonitorTick)
}

/// Where the lines of the throughput log go.
package protocol ThroughputWriter: Sendable {
    /// An interval, or at the end the whole run. Never called from two threads at once; may not block.
    func write(_ line: ThroughputLine)
}
