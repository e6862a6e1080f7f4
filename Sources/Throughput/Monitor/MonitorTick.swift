import Worker

/// A ``Monitor``'s result of one second.
package struct MonitorTick: Sendable {
    /// The second as a line.
    package var line: ThroughputLine
    /// The lanes' reports, one each: totals since their start, latencies of this second.
    package var contents: [LaneReport.Content]
    /// The second's real length; longer where the process was held up.
    package var seconds: Double

    /// - Parameter contents: one for each lane.
    package init(line: ThroughputLine, contents: [LaneReport.Content], seconds: Double) {
        self.line = line
        self.contents = contents
        self.seconds = seconds
    }
}

/// A receiver of every second's result.
package protocol MonitorSink: Sendable {
    /// Called once a second from one of Swift's cooperative threads, never from two at once; it may not block.
    func note(_ tick: MonitorTick)
}

/// A receiver of the throughput log's lines.
package protocol ThroughputWriter: Sendable {
    /// Called with an interval's line, at the end with the run's; never from two threads at once. May not block.
    func write(_ line: ThroughputLine)
}
