import Hummingbird
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The open connections of the admin server. Hummingbird takes in no more than so many; this sees that clients which hold on
/// to theirs do not keep others waiting: where all places are taken, the connection that has been there longest is ended.
final class AdminConnections: Sendable {
    private struct State {
        /// In order of their beginnings.
        var open: [(channel: any Channel, since: NIODeadline)] = []
        var isEnded = false
    }

    private let limit: Int
    private let patience: TimeAmount
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: at least 1; as many as are taken in.
    ///   - patience: how long a connection may last when all places are taken. An honest client has its answer within
    ///     milliseconds.
    init(limit: Int, patience: TimeAmount) {
        self.limit = limit
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
        for (channel, _) in open { channel.close(promise: nil) }
    }

    private func add(_ channel: any Channel) {
        let isEnded = state.withLock { state in
            state.open.append((channel, .now()))
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
            guard state.open.count >= limit else { return (nil, nil) }
            let due = state.open[0].since + patience
            guard due <= .now() else { return (nil, due) }
            // Not left to its closing, which is noticed only after others have been asked for room.
            return (state.open.removeFirst().channel, nil)
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
