import Foundation
import KafkaClient
import Logging
import Synchronization

/// Checks every few seconds that the worker's five topics exist, and how many partitions each has, while the lanes
/// work.
///
/// No other part notices. librdkafka gives up the partitions of a deleted topic as if the group had revoked them, and a
/// lane without partitions is healthy; librdkafka knows of an output topic that was recreated with fewer partitions,
/// while the lane uses the count of its start. The looks have a thread and a client of their own: no lane waits for an
/// answer.
package final class TopicWatch: Sendable {
    /// The current state of the topics.
    package struct View: Sendable, Equatable {
        /// Partition counts of the existing topics.
        package var counts: [String: Int32]
        /// Missing topics, in the order of ``TopicNames``.
        package var missing: [String] = []
    }

    private struct State {
        var view: View
        /// Counts of the last look; a broker that has just started may not know all topics yet, so a change takes two.
        var last: [String: Int32]
    }

    private let topics: [String]
    private let state: Mutex<State>
    private let changeCount = Atomic<Int>(0)

    /// - Parameter counts: the topics as the worker found them at its start.
    init(topics: TopicNames, counts: [String: Int32] = [:]) {
        self.topics = topics.inputs + topics.outputs
        state = Mutex(State(view: View(counts: counts), last: counts))
    }

    /// Grows with every change of ``view``; cheap enough to read at each step.
    package var version: Int { changeCount.load(ordering: .acquiring) }

    /// The result of the last two looks that agree.
    package var view: View { state.withLock { $0.view } }

    /// Notes a look's result: it counts when the look before had the same.
    /// - Returns: the view, if it has changed.
    func note(_ found: [String: Int32]) -> View? {
        let changed: View? = state.withLock { state in
            defer { state.last = found }
            guard found == state.last, found != state.view.counts else { return nil }
            state.view = View(counts: found, missing: topics.filter { found[$0] == nil })
            return state.view
        }
        if changed != nil { changeCount.add(1, ordering: .releasing) }
        return changed
    }

    // MARK: - Looking

    /// Looks until the worker stops, on the calling thread.
    func run(properties: KafkaProperties, pause: Duration, stop: StopSignal, logger: Logger) {
        let admin: AdminClient
        do throws(KafkaError) {
            admin = try AdminClient(properties: properties, logger: logger)
        } catch {
            return logger.warning("topics are not watched", metadata: ["cause": "\(error)"])
        }
        defer { admin.close() }
        while rest(pause, stop) {
            // Without an answer nothing has changed; the lanes report the cause.
            guard let found = try? admin.partitionCounts(of: topics, timeout: .seconds(5)) else { continue }
            let before = view
            guard let changed = note(found) else { continue }
            tell(before, changed, logger)
        }
    }

    private func tell(_ before: View, _ now: View, _ logger: Logger) {
        for topic in topics {
            switch (before.counts[topic], now.counts[topic]) {
            case (let count?, nil):
                logger.error(
                    "topic missing: it was deleted while the worker runs",
                    metadata: ["topic": "\(topic)", "partitions": .stringConvertible(count)])
            case (nil, let count?):
                logger.warning(
                    "topic is there again", metadata: ["topic": "\(topic)", "partitions": .stringConvertible(count)])
            case (let old?, let new?) where old != new:
                logger.warning(
                    "topic has another number of partitions",
                    metadata: [
                        "topic": "\(topic)", "before": .stringConvertible(old), "now": .stringConvertible(new),
                    ])
            default: break
            }
        }
    }

    /// - Returns: false when the worker was told to stop during the pause.
    private func rest(_ duration: Duration, _ stop: StopSignal) -> Bool {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end {
            if stop.isRequested { return false }
            Thread.sleep(forTimeInterval: 0.1)
        }
        return !stop.isRequested
    }
}
