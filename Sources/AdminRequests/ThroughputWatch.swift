import Bytes
import Throughput

/// Asks a worker's admin port for its throughput: the history, then one line a second. Blocks the calling thread.
package struct ThroughputWatch: Sendable {
    /// Above the history of a worker with thousands of partitions.
    private static let maxHistoryBytes = 64 << 20

    private let host: String
    private let port: UInt16
    private let path: String

    /// - Parameters:
    ///   - host: a name or an address, IPv6 without brackets.
    ///   - path: prefix of `/events`: "", or a path that a proxy requires.
    package init(host: String, port: UInt16, path: String) {
        self.host = host
        self.port = port
        self.path = path
    }

    /// The last hour, oldest first; empty where the worker keeps no history.
    package func history(patience: Duration) throws(AdminProbe.Failure) -> [ThroughputLine] {
        let socket = try ask("/history", accept: "application/json", deadline: .now + patience)
        var reader = AdminAnswerReader()
        var body: [UInt8] = []
        while !reader.isFinished, body.count < Self.maxHistoryBytes {
            let bytes = try socket.receive()
            if bytes.isEmpty { break }
            body += try reader.feed(bytes)
        }
        guard let status = reader.status else { throw Self.noHTTP }
        guard status == 200 else { return [] }
        return (body.withUnsafeBytes { JSONValue($0, deepest: LogEntry.deepest) }?.elements ?? []).compactMap {
            ThroughputLine($0)
        }
    }

    /// Follows the worker until the connection ends, which is an error too.
    /// - Parameters:
    ///   - patience: the longest silence.
    ///   - line: called with every line as it arrives.
    package func follow(patience: Duration, line: (ThroughputLine) -> Void) throws(AdminProbe.Failure) -> Never {
        let socket = try ask("/events", accept: "text/event-stream", deadline: .now + patience)
        var reader = AdminAnswerReader()
        let lines = LineQueue(longest: LogEntry.longestLine)
        var data = ""
        while !reader.isFinished {
            socket.deadline = .now + patience
            let bytes = try socket.receive()
            if bytes.isEmpty { break }
            let body = try reader.feed(bytes)
            if reader.status == 421 { throw AdminProbe.Failure(description: "it \(AdminProbe.onlyLocalNames)") }
            if let status = reader.status, status != 200 {
                throw AdminProbe.Failure(
                    description:
                        "it answers \(path)/events with status \(status); is it the admin address of a worker of this "
                        + "version?"
                )
            }
            body.withUnsafeBytes { lines.append($0) }
            while let next = lines.next() { Self.take(next.text, &data, line) }
        }
        throw reader.status == nil ? Self.noHTTP : AdminProbe.Failure(description: "it ended the connection")
    }

    /// Takes one line of server-sent events; an empty line ends an event.
    private static func take(
        _ bytes: Bytes, _ data: inout String, _ line: (ThroughputLine) -> Void
    ) {
        let text = String(decoding: bytes, as: UTF8.self)
        if text.isEmpty {
            if let event = ThroughputLine(json: data) { line(event) }
            data = ""
        } else if text.hasPrefix("data:"), data.utf8.count < LogEntry.longestLine {
            if !data.isEmpty { data += "\n" }
            data += text.dropFirst(5)
        }
    }

    private func ask(
        _ what: String, accept: String, deadline: ContinuousClock.Instant
    ) throws(AdminProbe.Failure) -> AdminSocket {
        let socket = try AdminSocket.connect(host: host, port: port, deadline: deadline)
        try socket.send(AdminProbe.request(host: host, port: port, path: path + what, accept: accept))
        return socket
    }

    private static let noHTTP = AdminProbe.Failure(description: "the program there does not speak HTTP")
}
