import AdminRequests
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Throughput
import Worker

/// The admin port: HTTP/1.1, read-only. Liveness (`/healthz`), readiness (`/readyz`), metrics (`/metrics`), the
/// dashboard (`/`), and the record that would be published for a question now (`/questions/{id}`).
///
/// Sockets run on one thread of its own, handlers on Swift's cooperative threads. It sees the lanes only through
/// ``Monitor``, and costs the worker a bounded number of file descriptors and bytes, under any behaviour of clients.
package final class AdminServer: Service {
    /// Bounds of the clients' cost.
    struct Limits {
        /// The most open connections.
        var connections = 64
        /// The most event streams of dashboards among them.
        var streams = 16
        /// How long a connection may last while all places are taken.
        var patience = TimeAmount.milliseconds(250)
        /// The longest wait from connecting to the end of the request's head, and from the response to the hang-up.
        var idle = TimeAmount.seconds(10)
        /// Size of request line and fields, in bytes.
        var head = 16_384
        /// Number of a request's fields.
        var fields = 100
    }

    /// Runs the sockets of all servers for the life of the process. Hummingbird may submit a last task after a server
    /// has ended, and an event loop that was shut down would complain on standard error, among the lines of the log.
    private static let thread = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// The bound address; its port is never 0.
    package let address: AdminAddress
    private let connections: AdminConnections
    private let group: ServiceGroup
    private let serving: Task<Void, any Error>
    private let stopping: StopNotice
    private let logger: Logger

    /// Listens and answers from now on; a call of ``run()`` must follow, which ends it.
    /// - Parameters:
    ///   - host: an address of this host, or a name of one.
    ///   - port: 0 to 65535; 0: any free one.
    ///   - monitor: the source of health and dashboard.
    ///   - metrics: the source of `/metrics`; nil: the path is not served.
    ///   - questions: looks up for `/questions/{id}`; nil: the path is not served.
    ///   - deadLetters: opens dead letters; nil: their paths are not served.
    ///   - sandbox: tests' operations over HTTP; nil: the port is read-only.
    ///   - peers: the group's other workers, for `/group`.
    /// - Throws: `configuration` when it cannot listen there.
    package convenience init(
        host: String, port: Int, monitor: Monitor, metrics: WorkerMetrics? = nil, questions: QuestionLookup? = nil,
        deadLetters: DeadLetterLookup? = nil, sandbox: (any SandboxControl)? = nil, peers: [GroupPeer] = [],
        logger: Logger
    ) async throws(WorkerError) {
        try await self.init(
            host: host, port: port, monitor: monitor, metrics: metrics, questions: questions,
            deadLetters: deadLetters, sandbox: sandbox, peers: peers, limits: Limits(), logger: logger)
    }

    init(
        host: String, port: Int, monitor: Monitor, metrics: WorkerMetrics? = nil, questions: QuestionLookup? = nil,
        deadLetters: DeadLetterLookup? = nil, sandbox: (any SandboxControl)? = nil, peers: [GroupPeer] = [],
        limits: Limits, logger: Logger
    ) async throws(WorkerError) {
        let connections = AdminConnections(
            limit: limits.connections, streams: limits.streams, patience: limits.patience)
        let hosts = AdminHostRule(configured: host)
        let stopping = StopNotice()
        let (bound, binding) = AsyncThrowingStream.makeStream(of: SocketAddress?.self)
        var quiet = logger
        // Silences clients' mistakes, and an address in use, which is thrown below.
        quiet.logLevel = .critical
        let application = Application(
            router: AdminRoutes.router(
                monitor: monitor, metrics: metrics, questions: questions, deadLetters: deadLetters,
                sandbox: sandbox, peers: peers, connections: connections, hosts: hosts,
                isStopping: { stopping.isGiven }),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [connections.handler], idleTimeout: limits.idle,
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: limits.head, maxHeaderListSize: limits.head,
                        maxHeaderFieldCount: limits.fields))),
            configuration: .init(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: .maximum(limits.connections, logger: quiet)),
            onServerRunning: {
                hosts.note(bound: $0.localAddress)
                binding.yield($0.localAddress)
            },
            eventLoopGroupProvider: .shared(Self.thread), logger: quiet)
        let group = ServiceGroup(configuration: .init(services: [application], logger: quiet))
        // Not in the worker's group, which would start the lanes before the address is known to be free.
        let serving = Task {
            do {
                try await group.run()
                binding.finish()
            } catch {
                binding.finish(throwing: error)
                throw error
            }
        }
        do {
            var addresses = bound.makeAsyncIterator()
            guard let found = try await addresses.next() else { throw CancellationError() }
            address = AdminAddress(host: found?.ipAddress ?? host, port: UInt16(clamping: found?.port ?? port))
        } catch {
            throw WorkerError(.configuration, Self.sentence(error, host: host, port: port))
        }
        self.connections = connections
        self.group = group
        self.serving = serving
        self.stopping = stopping
        self.logger = logger
    }

    /// Must be the group's last service, so that it is shut down first: from then on the worker is not ready. The
    /// server itself must be the first service, so that it answers until the lanes have ended.
    package var stopNotice: some Service { stopping }

    /// Runs until a graceful shutdown or cancellation, then closes all connections at once. Never throws and never ends
    /// earlier: a worker without its admin port is better than none.
    package func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            do {
                try await serving.value
            } catch {
                logger.error("admin server ended", metadata: ["cause": "\(error)"])
            }
            // Throws when cancelled.
            try? await gracefulShutdown()
        } onCancelOrGracefulShutdown: {
            self.end()
        }
    }

    private func end() {
        // Hummingbird would wait for open connections without limit.
        connections.end()
        Task { await group.triggerGracefulShutdown() }
    }

    private static func sentence(_ error: any Error, host: String, port: Int) -> String {
        let failure = "The admin server cannot listen on \(AdminAddress(host: host, port: UInt16(clamping: port)))"
        return switch (error as? IOError)?.errnoCode {
        case EADDRINUSE:
            "\(failure): another process does, perhaps another worker. Set admin.port (REJOINDER_ADMIN_PORT) to a free "
                + "port, or to 0 for any free one"
        case EADDRNOTAVAIL:
            "\(failure): this host has no such address. Set admin.host (REJOINDER_ADMIN_HOST) to one that it has, such "
                + "as 127.0.0.1"
        case EACCES:
            "\(failure): ports below 1024 need rights. Set admin.port (REJOINDER_ADMIN_PORT) to a higher one"
        case let code?:
            "\(failure): \(String(cString: strerror(code))). Set admin.host and admin.port to where it can"
        case nil where error is SocketAddressError:
            "\(failure): there is no host of this name. Set admin.host to an address of this host, such as 127.0.0.1"
        case nil:
            "\(failure): \(error). Set admin.host and admin.port to where it can"
        }
    }
}

/// Notes the shutdown of the service group.
private final class StopNotice: Service {
    private let given = Atomic(false)

    var isGiven: Bool { given.load(ordering: .relaxed) }

    func run() async throws {
        // Throws when cancelled; the worker stops then too.
        try? await gracefulShutdown()
        given.store(true, ordering: .relaxed)
    }
}
