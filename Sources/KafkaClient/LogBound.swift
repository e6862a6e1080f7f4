import Synchronization

/// Bounds the lines that librdkafka writes about one cause. Each client has connections of its own to each broker and speaks of
/// each attempt, so that an outage of a minute would be told some hundred times over.
final class LogBound: Sendable {
    /// For all clients of the process: they speak of the same brokers.
    static let shared = LogBound()

    private static let pause = Duration.seconds(30)
    private static let mostCauses = 128

    private struct Cause {
        var written: ContinuousClock.Instant
        var unwritten = 0
    }

    private let causes = Mutex<[String: Cause]>([:])

    /// - Returns: how many lines of the cause were left out since the last one that was written; nil: leave this one out, too.
    func admit(_ facility: String, _ line: String, at now: ContinuousClock.Instant = .now) -> Int? {
        let key = facility + Self.cause(of: line)
        return causes.withLock { causes in
            if let known = causes[key], now - known.written < Self.pause {
                causes[key]?.unwritten += 1
                return nil
            }
            let unwritten = causes[key]?.unwritten ?? 0
            if causes.count >= Self.mostCauses { causes = causes.filter { now - $0.value.written < Self.pause } }
            if causes.count < Self.mostCauses { causes[key] = Cause(written: now) }
            return unwritten
        }
    }

    /// A line without what differs from one attempt or one client to the next: numbers, and the client's and the broker's names,
    /// which stand before ": ".
    static func cause(of line: String) -> String {
        let words = line.split(separator: ": ").last.map(String.init) ?? line
        return String(words.unicodeScalars.filter { !("0"..."9").contains($0) })
    }
}
