import NIOCore
import NIOPosix

/// Listens on a port of 127.0.0.1 and forwards each connection to another port: the embedded broker chooses its own
/// port, and a test needs to know one in advance. Clients bootstrap from this port, then connect to the broker's own.
final class PortForwarder: Sendable {
    /// The bound port, never 0.
    let port: Int
    private let channel: any Channel

    /// - Parameters:
    ///   - port: 0: any free one.
    ///   - target: a port of 127.0.0.1.
    /// - Throws: ``CommandFailure`` when the port is not free.
    init(port: Int, target: Int) async throws {
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { client in
                // Reading starts when the connection to the broker is established.
                client.setOption(.autoRead, value: false).flatMap {
                    ClientBootstrap(group: client.eventLoop)
                        .channelInitializer { broker in
                            broker.eventLoop.makeCompletedFuture {
                                try broker.pipeline.syncOperations.addHandler(PassOn(to: client))
                            }
                        }
                        .connect(host: "127.0.0.1", port: target)
                }.flatMap { broker in
                    client.eventLoop.makeCompletedFuture {
                        try client.pipeline.syncOperations.addHandler(PassOn(to: broker))
                    }.flatMap { client.setOption(.autoRead, value: true) }
                }
            }
        do {
            channel = try await bootstrap.bind(host: "127.0.0.1", port: port).get()
        } catch {
            throw CommandFailure(
                .usage,
                "The sandbox cannot listen on 127.0.0.1:\(port): \(error). Name a free port with --port, or none.")
        }
        self.port = channel.localAddress?.port ?? port
    }

    func close() async { try? await channel.close() }
}

/// Forwards the bytes of one connection to the other; both close together.
private final class PassOn: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let other: any Channel

    init(to other: any Channel) { self.other = other }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        other.write(unwrapInboundIn(data), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { other.flush() }

    func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
