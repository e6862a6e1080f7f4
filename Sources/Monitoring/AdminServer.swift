import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Worker

/// The admin port: HTTP/1.1, read-only. Says whether the worker turns (`/healthz`) and whether it is ready (`/readyz`), gives its
/// metrics (`/metrics`), shows the dashboard (`/`), and what would be published for a question (`/questions/{id}`).
///
/// It has one thread of its own for its sockets, answers on Swift's cooperative threads, and knows of the lanes only what
/// ``Monitor`` does. Whatever clients do, it costs the worker a bounded number of file descriptors and bytes.
package final class AdminServer: Service {
    /// What clients may cost.
    struct Limits {
        /// Connections that are open at a time.
        var connections = 64
        /// How many of them may be dashboards' streams of events.
        var streams = 16
        /// How long a connection may last while all places are taken.
        var patience = TimeAmount.milliseconds(250)
        /// From a connection's beginning to the end of its request's head, and from the answer until the client hangs up.
        var idle = TimeAmount.seconds(10)
        /// Request line and fields, in bytes.
        var head = 16_384
        /// Fields of a request.
        var fields = 100
    }

    /// For the sockets of all servers, as long as the process lasts: when a server has ended, Hummingbird may still have a last
    /// word for its event loop, and one that was shut down complains of that on standard error, among the lines of the log.
    private static let thread = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// Where it listens, the port never 0.
    package let address: AdminAddress
    private let connections: AdminConnections
    private let group: ServiceGroup
    private let serving: Task<Void, any Error>
    private let stopping: StopNotice
    private let logger: Logger

    /// Listens and answers from now on, until ``run()`` ends it, which it is to be called for.
    /// - Parameters:
    ///   - host: an address of this host, or a name of one.
    ///   - port: 0 to 65535; 0: any free one.
    ///   - monitor: what there is to tell.
    ///   - metrics: what `/metrics` answers; nil: nothing.
    ///   - questions: what `/questions/{id}` asks; nil: nothing is there.
    ///   - deadLetters: what opens a dead letter; nil: nothing is there.
    /// - Throws: `configuration` when it cannot listen there.
    package convenience init(
        host: String, port: Int, monitor: Monitor, metrics: WorkerMetrics? = nil, questions: QuestionLookup? = nil,
        deadLetters: DeadLetterLookup? = nil, logger: Logger
    ) async throws(WorkerError) {
        try await self.init(
            host: host, port: port, monitor: monitor, metrics: metrics, questions: questions,
            deadLetters: deadLetters, limits: Limits(), logger: logger)
    }

    init(
        host: String, port: Int, monitor: Monitor, metrics: WorkerMetrics? = nil, questions: QuestionLookup? = nil,
        deadLetters: DeadLetterLookup? = nil, limits: Limits, logger: Logger
    ) async throws(WorkerError) {
        let connections = AdminConnections(
            limit: limits.connections, streams: limits.streams, patience: limits.patience)
        let hosts = AdminHostRule(configured: host)
        let stopping = StopNotice()
        let (bound, binding) = AsyncThrowingStream.makeStream(of: SocketAddress?.self)
        var quiet = logger
        // What clients do wrong, and an address in use, which is said below.
        quiet.logLevel = .critical
        let application = Application(
            router: AdminRoutes.router(
                monitor: monitor, metrics: metrics, questions: questions, deadLetters: deadLetters,
                connections: connections, hosts: hosts, isStopping: { stopping.isGiven }),
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
        // Not in the worker's group, which would begin the lanes before the address is known to be free.
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

    /// To be the last service of the group, so that it is the first to hear of a shutdown: from then on the worker is not
    /// ready. The server itself is to be the first, so that it answers until the lanes have ended.
    package var stopNotice: some Service { stopping }

    /// Goes on until a graceful shutdown or cancellation, and then ends at once, whatever is open. Never throws, and ends no
    /// sooner: a worker without its admin port is better than none.
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
        // Hummingbird waits for connections, however long they take.
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
            "\(failure): this host has no such address. Set admin.host (REJOINDER_ADMIN_HOST) to one that it has, such as "
                + "127.0.0.1"
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

/// Notes that the service group was told to stop.
private final class StopNotice: Service {
    private let given = Atomic(false)

    var isGiven: Bool { given.load(ordering: .relaxed) }

    func run() async throws {
        // Throws when cancelled, and the worker stops then too.
        try? await gracefulShutdown()
        given.store(true, ordering: .relaxed)
    }
}
