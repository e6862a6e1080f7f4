import Logging
import ServiceLifecycle
import Worker

/// Writes one line an interval on what the worker did, and one on the whole run when it ends.
package struct ThroughputLog: Service {
    private let reports: [LaneReport]
    private let interval: Duration
    private let logger: Logger

    package init(reports: [LaneReport], interval: Duration, logger: Logger) {
        self.reports = reports
        self.interval = interval
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown { await writeIntervals() }
    }

    private func writeIntervals() async {
        var last = ContinuousClock.now
        var before = reports.map { _ in LaneTotals() }
        while (try? await Task.sleep(for: interval)) != nil {
            let contents = reports.map { $0.take() }
            let now = ContinuousClock.now
            write(Throughput(now: contents, before: before, seconds: (now - last) / .seconds(1)), title: "throughput")
            before = contents.map(\.totals)
            last = now
        }
    }

    /// The line of the whole run: for after the lanes have ended, when their last commit is counted.
    package func writeTotals(since began: ContinuousClock.Instant) {
        let totals = Throughput(
            now: reports.map(\.current), before: reports.map { _ in LaneTotals() },
            seconds: (ContinuousClock.now - began) / .seconds(1))
        write(totals, title: "totals")
    }

    private func write(_ throughput: Throughput, title: String) {
        logger.info("\(title)", metadata: Self.metadata(of: throughput))
    }

    static func metadata(of throughput: Throughput) -> Logger.Metadata {
        let seconds = max(throughput.seconds, 0.001)
        var metadata: Logger.Metadata = [
            "seconds": .stringConvertible(rounded(throughput.seconds)),
            "state": .string(throughput.restoring > 0 ? "restoring" : throughput.isIdle ? "idle" : "working"),
            "recordsIn": .stringConvertible(throughput.recordsIn),
            "bytesIn": .stringConvertible(throughput.bytesIn),
            "recordsOut": .stringConvertible(throughput.recordsOut),
            "bytesOut": .stringConvertible(throughput.bytesOut),
            "recordsPerSecond": .stringConvertible(rounded(Double(throughput.recordsIn) / seconds)),
            "answers": .stringConvertible(throughput.answers),
            "votes": .stringConvertible(throughput.votes),
            "deadLetters": .stringConvertible(throughput.deadLetters),
            "commits": .stringConvertible(throughput.commits),
            "aborts": .stringConvertible(throughput.aborts),
            "rebalances": .stringConvertible(throughput.rebalances),
            "lag": .dictionary(throughput.lag.mapValues { .stringConvertible($0) }),
        ]
        if throughput.restoring > 0 { metadata["restoringPartitions"] = .stringConvertible(throughput.restoring) }
        if let p50 = throughput.latencyP50 { metadata["latencyP50Ms"] = .stringConvertible(rounded(p50)) }
        if let p99 = throughput.latencyP99 { metadata["latencyP99Ms"] = .stringConvertible(rounded(p99)) }
        return metadata
    }

    /// To a thousandth: more digits of a clock mean nothing.
    private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
