import Hummingbird
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The open connections of the admin server. Hummingbird takes in no more than so many; this sees that clients which hold on
/// to theirs do not keep others waiting: where all places are taken, the connection that has been there longest is ended.
final class AdminConnections: Sendable {
    private struct Connection {
        let channel: any Channel
        let since: NIODeadline
        /// Its answer has no end: it may last when all places are taken.
        var isStream = false
    }

    private struct State {
        /// In order of their beginnings.
        var open: [Connection] = []
        var isEnded = false
    }

    private let limit: Int
    private let streamLimit: Int
    private let patience: TimeAmount
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: at least 1; as many as are taken in.
    ///   - streams: how many of them may be streams; two places at least are left for the others.
    ///   - patience: how long a connection may last when all places are taken. An honest client has its answer within
    ///     milliseconds.
    init(limit: Int, streams: Int, patience: TimeAmount) {
        self.limit = limit
        // The last place that is taken becomes free again at once.
        streamLimit = max(0, min(streams, limit - 2))
        self.patience = patience
    }

    /// For the pipeline of one connection.
    var handler: any RemovableChannelHandler { Handler(connections: self) }

    /// Ends all, and those that come from now on.
    func end() {
        let open = state.withLock { state in
            state.isEnded = true
            return state.open
        }
        for connection in open { connection.channel.close(promise: nil) }
    }

    /// Whether one more connection may become a stream.
    var hasRoomForStream: Bool { state.withLock { $0.open.count(where: \.isStream) < streamLimit } }

    /// Makes a connection a stream: from now on it is not the one that ends when all places are taken.
    /// - Returns: false when there are as many streams as there may be, or the connection has ended.
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

    /// For one connection that came in: one ends, now or when it has lasted long enough, unless places become free before.
    private func makeRoom(_ loop: any EventLoop) {
        let (ended, next): ((any Channel)?, NIODeadline?) = state.withLock { state in
            guard state.open.count >= limit, let oldest = state.open.firstIndex(where: { !$0.isStream }) else {
                return (nil, nil)
            }
            let due = state.open[oldest].since + patience
            guard due <= .now() else { return (nil, due) }
            // Not left to its closing, which is noticed only after others have been asked for room.
            return (state.open.remove(at: oldest).channel, nil)
        }
        ended?.close(promise: nil)
        if let next { loop.scheduleTask(deadline: next) { self.makeRoom(loop) } }
    }

    /// One request a connection: who sends thousands at once and reads no answer would keep the thread from everyone else.
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
                // As if the client had asked for it: Hummingbird ends the connection then.
                head.headerFields[.connection] = "close"
                part = .head(head)
            case .body: break
            case .end: isComplete = true
            }
            context.fireChannelRead(wrapInboundOut(part))
        }

        /// What comes behind the request stays with the system, which holds the client up. A client that hangs up is noticed.
        func read(context: ChannelHandlerContext) {
            if !isComplete { context.read() }
        }
    }
}
