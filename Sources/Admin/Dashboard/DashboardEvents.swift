import Bytes
import Hummingbird
import NIOCore
import Throughput
import Worker

/// A stream of server-sent events: a throughput line a second; dead letters, lanes' events and commits when there are
/// new ones.
///
/// A slow reader gets fewer lines, and takes the memory of one line and of its connection's buffers. A reader that
/// reads nothing is disconnected.
struct DashboardEvents: Sendable {
    /// Longest wait of a write for its reader.
    private static let patience = TimeAmount.seconds(15)
    /// Longest life of a stream, which frees the place of a reader that vanished; a browser reconnects by itself.
    private static let lifetime = Duration.seconds(1800)
    /// Interval of the comments that keep the connection alive.
    private static let silence = Duration.seconds(15)

    let monitor: Monitor
    let connections: AdminConnections

    /// Answers HEAD: whether there is room for another stream.
    var headResponse: Response { connections.hasRoomForStream ? Self.begun(body: ResponseBody()) : Self.full }

    func response(on channel: any Channel) -> Response {
        guard connections.makeStream(channel) else { return Self.full }
        return Self.begun(
            body: ResponseBody { writer in
                do {
                    try await write(to: &writer, on: channel)
                } catch {
                    // The reader is gone.
                }
                try await writer.finish(nil)
            })
    }

    private static func begun(body: ResponseBody) -> Response {
        Response(status: .ok, headers: [.contentType: "text/event-stream"], body: body)
    }

    private static var full: Response {
        var response = Response.json(
            .serviceUnavailable, ["error": "as many dashboards are open as there may be; close one, or try again later"]
        )
        response.headers[.retryAfter] = "30"
        return response
    }

    private enum News {
        case line(ThroughputLine)
        case nothing
    }

    private func write(to writer: inout any ResponseBodyWriter, on channel: any Channel) async throws {
        let (news, more) = AsyncStream.makeStream(of: News.self, bufferingPolicy: .bufferingNewest(1))
        let lines = monitor.seconds()
        let forwarding = Task {
            for await line in lines { more.yield(.line(line)) }
            more.finish()
        }
        let reminding = Task {
            while (try? await Task.sleep(for: Self.silence)) != nil { more.yield(.nothing) }
        }
        defer {
            forwarding.cancel()
            reminding.cancel()
        }
        // Ends the stream when the connection closes: only the next line would notice it, and at the worker's end none
        // comes.
        channel.closeFuture.whenComplete { _ in more.finish() }
        let began = ContinuousClock.now
        var notes: [DeadLetterNote] = []
        var events: [LaneEvent] = []
        var commits: [LaneCommit] = []
        try await write("retry: 2000\n\n", to: &writer, on: channel)
        if let line = monitor.latest { more.yield(.line(line)) }
        for await event in news {
            var text = ""
            if monitor.deadLetters != notes {
                notes = monitor.deadLetters
                text += Self.event("dead-letters", Self.json(notes))
            }
            if monitor.events != events {
                events = monitor.events
                text += Self.event("happenings", Self.json(events))
            }
            if monitor.commits != commits {
                commits = monitor.commits
                text += Self.event("commits", Self.json(commits))
            }
            switch event {
            case .line(let line): text += Self.event(nil, line.json)
            case .nothing: text += ": still here\n\n"
            }
            try await write(text, to: &writer, on: channel)
            if .now - began > Self.lifetime { return }
        }
    }

    /// Waits while the connection's buffers are full, and closes it after `patience`.
    private func write(_ text: String, to writer: inout any ResponseBodyWriter, on channel: any Channel) async throws {
        let overdue = channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
        defer { overdue.cancel() }
        try await writer.write(ByteBuffer(string: text))
    }

    /// Formats an event; the format demands a field for each line of its data.
    static func event(_ name: String?, _ data: String) -> String {
        var text = name.map { "event: \($0)\n" } ?? ""
        // Only these two end a line in the format; other line separators are text.
        let ends: [UInt8] = [UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        for line in data.utf8.split(omittingEmptySubsequences: false, whereSeparator: ends.contains) {
            text += "data: \(Substring(line))\n"
        }
        return text + "\n"
    }

    private static func json(_ events: [LaneEvent]) -> String {
        JSONWriter.array(of: events) { event, object in
            object.add("kind", event.kind.rawValue)
            object.add("lane", event.lane)
            object.add("detail", event.detail)
            object.add("time", event.time)
        }
    }

    private static func json(_ commits: [LaneCommit]) -> String {
        JSONWriter.array(of: commits) { commit, object in
            object.add("lane", commit.lane)
            object.add("time", commit.time)
            object.add("milliseconds", commit.milliseconds)
            object.add("bytes", commit.bytes)
            object.add("records", commit.records)
        }
    }

    /// A JSON array on one line.
    static func json(_ notes: [DeadLetterNote]) -> String {
        JSONWriter.array(of: notes) { note, object in
            object.add("code", note.code.rawValue)
            object.add("topic", note.place.topic)
            object.add("partition", note.place.partition)
            object.add("offset", note.offset)
            object.add("message", note.message)
            // Milliseconds since 1970.
            object.add("time", note.time)
        }
    }
}
