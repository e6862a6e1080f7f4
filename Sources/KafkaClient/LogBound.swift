import Logging
import Synchronization

/// Bounds the lines that are logged about one cause. Each client of librdkafka has its own connections to each broker
/// and reports every attempt, and each lane repeats its step, so an outage of a minute would fill some hundred lines.
package final class LogBound: Sendable {
    /// Shared by all clients and lanes of the process, as they report about the same brokers.
    package static let shared = LogBound()

    private static let pause = Duration.seconds(30)
    private static let mostCauses = 128

    private struct Cause {
        var written: ContinuousClock.Instant
        var unwritten = 0
    }

    private let causes = Mutex<[String: Cause]>([:])

    /// Bounds lines by itself, for tests; clients and lanes use ``shared``.
    package init() {}

    /// Logs a warning with its cause, unless one with the same message and cause was written lately. A written line has
    /// the number of those left out since the one before as `unlogged`.
    package func warn(
        _ logger: Logger, _ message: String, cause: String, metadata: Logger.Metadata = [:],
        at now: ContinuousClock.Instant = .now
    ) {
        guard let unlogged = admit(message, cause, at: now) else { return }
        var metadata = metadata
        metadata["cause"] = "\(cause)"
        if unlogged > 0 { metadata["unlogged"] = .stringConvertible(unlogged) }
        logger.warning("\(message)", metadata: metadata)
    }

    /// - Returns: the number of lines of this cause left out since the last one written; nil: leave this one out, too.
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

    /// A line without the parts that differ between attempts and clients: numbers, and the client's and the broker's
    /// names, which stand before ": ".
    static func cause(of line: String) -> String {
        let words = line.split(separator: ": ").last.map(String.init) ?? line
        return String(words.unicodeScalars.filter { !("0"..."9").contains($0) })
    }
}
