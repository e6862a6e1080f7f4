import NIOCore
import Synchronization
import Throughput

/// The last hour as JSON, cached until the next line.
final class DashboardHistory: Sendable {
    private struct Whole {
        var first: String?
        var last: String?
        var json: ByteBuffer
    }

    private let monitor: Monitor
    private let whole = Mutex<Whole?>(nil)

    init(monitor: Monitor) {
        self.monitor = monitor
    }

    /// A JSON array, with each throughput line on a line of its own.
    /// - Parameter after: `time` of a line; only newer lines are returned.
    func json(after: String? = nil) -> ByteBuffer {
        let lines = monitor.history
        if let after {
            // All times have one format and zone, so their text compares as they do.
            return Self.json(lines.filter { $0.time > after })
        }
        if let made = whole.withLock({ $0 }), made.first == lines.first?.time, made.last == lines.last?.time {
            return made.json
        }
        let json = Self.json(lines)
        whole.withLock { $0 = Whole(first: lines.first?.time, last: lines.last?.time, json: json) }
        return json
    }

    /// The last two minutes, a line a second.
    var secondsJSON: ByteBuffer { Self.json(monitor.recentSeconds) }

    private static func json(_ lines: [ThroughputLine]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for (index, line) in lines.enumerated() {
            buffer.writeString(index == 0 ? "[" : ",\n")
            buffer.writeString(line.json)
        }
        buffer.writeString(lines.isEmpty ? "[]\n" : "]\n")
        return buffer
    }
}
