import KafkaClient
import Synchronization
import Worker

/// The input partitions' ends, as their leaders last reported them. A ``LagProbe`` writes them on its own thread; the
/// monitor and the metrics raise the lanes' lags to them. Any thread may use it.
///
/// A lane sees only the ends that its fetches bring: while fetches are late or missing, it reports no lag.
package final class LagBoard: Sendable {
    private struct Known {
        var end: Int64
        var asked: ContinuousClock.Instant
        var arrivals = ArrivalTimes()
        /// The last stable offset: the first record that an open transaction holds back; nil: not asked.
        var stable: Int64?
        /// The timestamp, in milliseconds since 1970, of a record that was there before the first look.
        var timestamp: (position: Int64, milliseconds: Int64)?
    }

    private struct State {
        var known: [TopicPartition: Known] = [:]
        /// The group's committed offsets in partitions without a position.
        var committed: [TopicPartition: Int64] = [:]
        var answered: ContinuousClock.Instant
        var trouble: String?
    }

    private let state: Mutex<State>

    /// Counts the brokers' silence from now on.
    package init() { state = Mutex(State(answered: .now)) }

    // MARK: - Answers of the brokers

    func note(ends: [TopicPartition: Int64], at now: ContinuousClock.Instant = .now) {
        guard !ends.isEmpty else { return }
        state.withLock { state in
            state.answered = now
            state.trouble = nil
            for (place, end) in ends {
                var known = state.known[place] ?? Known(end: end, asked: now)
                (known.end, known.asked) = (end, now)
                known.arrivals.note(end: end, at: now)
                state.known[place] = known
            }
        }
    }

    func note(stable ends: [TopicPartition: Int64]) {
        state.withLock { state in
            for (place, end) in ends { state.known[place]?.stable = end }
        }
    }

    /// Notes the group's committed offsets in partitions that a lane is taking over.
    func note(committed offsets: [TopicPartition: Int64]) { state.withLock { $0.committed = offsets } }

    func note(timestamp: Int64, of place: TopicPartition, at position: Int64) {
        state.withLock { $0.known[place]?.timestamp = (position, timestamp) }
    }

    func note(failure: String) { state.withLock { $0.trouble = failure } }

    func committed(_ places: [TopicPartition]) -> [TopicPartition: Int64] {
        state.withLock { state in state.committed.filter { places.contains($0.key) } }
    }

    /// Forgets partitions that the worker has lost, and the arrivals of finished records.
    func keep(_ positions: [TopicPartition: Int64]) {
        state.withLock { state in
            state.known = state.known.filter { positions[$0.key] != nil }
            for (place, position) in positions { state.known[place]?.arrivals.forget(below: position) }
        }
    }

    // MARK: - Lags

    /// How long no broker has answered, and why; at most a few seconds while all is well.
    package struct Silence: Sendable, Equatable {
        /// Since the last answer of any broker.
        package var seconds: Double
        /// The last error; nil: there was none since the last answer.
        package var reason: String?
    }

    /// Read without a request: any thread may ask at any time.
    package func silence(at now: ContinuousClock.Instant) -> Silence {
        state.withLock { Silence(seconds: max(0, (now - $0.answered) / .seconds(1)), reason: $0.trouble) }
    }

    /// Raises a lane's lags to the ends that the brokers reported, and adds those of partitions that it is taking over,
    /// as far as they are known.
    package func bringUp(_ content: inout LaneReport.Content, at now: ContinuousClock.Instant) {
        content.lags = bringUp(content.lags + lags(ofTakingOver: content.takingOver), at: now)
    }

    /// The lags, counted from the group's committed offsets.
    private func lags(ofTakingOver places: [TopicPartition]) -> [PartitionLag] {
        state.withLock { state in
            places.compactMap { place in
                guard let next = state.committed[place], state.known[place] != nil else { return nil }
                return PartitionLag(place: place, records: 0, next: next)
            }
        }
    }

    func bringUp(_ lags: [PartitionLag], at now: ContinuousClock.Instant) -> [PartitionLag] {
        state.withLock { state in
            lags.map { lag in
                guard let next = lag.next, let known = state.known[lag.place] else { return lag }
                var lag = lag
                let end = max(known.end, next + lag.records)
                lag.records = max(0, end - next)
                lag.age = max(0, (now - known.asked) / .seconds(1))
                lag.seconds = lag.records == 0 ? 0 : Self.seconds(since: next, known, at: now)
                if lag.records > 0, let stable = known.stable, stable <= next, stable < known.end {
                    lag.heldBack = PartitionLag.HeldBack(records: known.end - stable, from: stable)
                }
                return lag
            }
        }
    }

    /// How long the record at `next` has waited; nil: not known.
    private static func seconds(since next: Int64, _ known: Known, at now: ContinuousClock.Instant) -> Double? {
        switch known.arrivals.arrival(ofRecordAt: next) {
        case .at(let time): return max(0, (now - time) / .seconds(1))
        case .before(let time):
            let least = max(0, (now - time) / .seconds(1))
            guard let timestamp = known.timestamp, timestamp.position <= next, timestamp.milliseconds > 0 else {
                return known.timestamp == nil ? nil : least
            }
            return max(least, LogClock.secondsSince1970 - Double(timestamp.milliseconds) / 1000)
        // The record came after the last look.
        case nil: return 0
        }
    }

    /// Offsets of the oldest records that came before the first look: only their own timestamps tell their age.
    func unknownArrivals(_ lags: [PartitionLag]) -> [TopicPartition: Int64] {
        state.withLock { state in
            lags.reduce(into: [:]) { wanted, lag in
                guard let next = lag.next, let known = state.known[lag.place], known.end > next,
                    case .before = known.arrivals.arrival(ofRecordAt: next), known.timestamp?.position != next
                else { return }
                wanted[lag.place] = next
            }
        }
    }
}
