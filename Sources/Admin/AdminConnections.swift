import Hummingbird
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The admin server's open connections. Hummingbird limits their number; this keeps idle clients from blocking others:
/// when all places are taken, the oldest connection is closed.
final class AdminConnections: Sendable {
    private struct Connection {
        let channel: any Channel
        let since: NIODeadline
        /// An endless response: this connection stays open when all places are taken.
        var isStream = false
    }

    private struct State {
        /// In order of arrival.
        var open: [Connection] = []
        var isEnded = false
    }

    private let limit: Int
    private let streamLimit: Int
    private let patience: TimeAmount
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: Hummingbird's limit of connections, at least 1.
    ///   - streams: the most streams among them; at least two places are left for other connections.
    ///   - patience: how long a connection may last when all places are taken. An honest client has its answer within
    ///     milliseconds.
    init(limit: Int, streams: Int, patience: TimeAmount) {
        self.limit = limit
        // Taking the last place closes a connection, so one more must be left.
        streamLimit = max(0, min(streams, limit - 2))
        self.patience = patience
    }

    /// A handler for the pipeline of one connection.
    var handler: any RemovableChannelHandler { Handler(connections: self) }

    /// Closes all connections, and every later one on arrival.
    func end() {
        let open = state.withLock { state in
            state.isEnded = true
            return state.open
        }
        for connection in open { connection.channel.close(promise: nil) }
    }

    /// Whether another connection may become a stream.
    var hasRoomForStream: Bool { state.withLock { $0.open.count(where: \.isStream) < streamLimit } }

    /// Makes a connection a stream: it stays open when all places are taken.
    /// - Returns: false when the limit of streams is reached, or the connection is closed.
    func makeStream(_ channel: any Channel) -> Bool {
        state.withLock { state in
            guard state.open.count(where: \.isStream) < streamLimit,
                let index = state.open.firstIndex(where: { $0.channel === channel })
            else { return false }
            state.open[index].isStream = true
            return true
        }
    }

    private func add(_ channel: any Channel) {
        let isEnded = state.withLock { state in
            state.open.append(Connection(channel: channel, since: .now()))
            return state.isEnded
        }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { $0.open.removeAll { $0.channel === channel } }
        }
        if isEnded {
            channel.close(promise: nil)
        } else {
            channel.eventLoop.execute { self.makeRoom(channel.eventLoop) }
        }
    }

    /// Closes the oldest connection for a new one: now, or after `patience` unless a place is free by then.
    private func makeRoom(_ loop: any EventLoop) {
        let (ended, next): ((any Channel)?, NIODeadline?) = state.withLock { state in
            guard state.open.count >= limit, let oldest = state.open.firstIndex(where: { !$0.isStream }) else {
                return (nil, nil)
            }
            let due = state.open[oldest].since + patience
            guard due <= .now() else { return (nil, due) }
            // Removed at once: its close takes effect only after others have asked for room.
            return (state.open.remove(at: oldest).channel, nil)
        }
        ended?.close(promise: nil)
        if let next { loop.scheduleTask(deadline: next) { self.makeRoom(loop) } }
    }

    /// One request a connection: a client that sends thousands and reads no answer would occupy the thread.
    private final class Handler: ChannelDuplexHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPRequestPart
        typealias InboundOut = HTTPRequestPart
        typealias OutboundIn = HTTPResponsePart
        typealias OutboundOut = HTTPResponsePart
        private let connections: AdminConnections
        private var isComplete = false

        init(connections: AdminConnections) { self.connections = connections }

        func handlerAdded(context: ChannelHandlerContext) { connections.add(context.channel) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !isComplete else { return }
            var part = unwrapInboundIn(data)
            switch part {
            case .head(var head):
                // As if the client had asked for it; Hummingbird then closes the connection.
                head.headerFields[.connection] = "close"
                part = .head(head)
            case .body: break
            case .end: isComplete = true
            }
            context.fireChannelRead(wrapInboundOut(part))
        }

        /// Bytes after the request stay in the socket's buffer, which stops the client. A hang-up is still noticed.
        func read(context: ChannelHandlerContext) {
            if !isComplete { context.read() }
        }
    }
}
