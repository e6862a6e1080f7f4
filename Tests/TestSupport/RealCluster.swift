import Foundation
import KafkaClient
import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A real Kafka-protocol server for tests of groups, transactions and isolation, which the embedded broker only plays.
///
/// `REJOINDER_TEST_BOOTSTRAP_SERVERS` names any cluster; otherwise the server binary that `REJOINDER_TEST_NOIDA` names
/// is started once for the test process, on a free port of 127.0.0.1, and ends with the process. Topics get unique
/// names and are deleted again.
package final class RealCluster: Sendable {
    package let bootstrapServers: String
    /// Clients of this cluster start from these.
    package let properties: KafkaProperties
    private let admin: AdminClient

    /// For `.enabled(if:)`.
    package static var isAvailable: Bool { given != nil || binary != nil }
    package static let reason =
        "needs REJOINDER_TEST_BOOTSTRAP_SERVERS (a cluster) or REJOINDER_TEST_NOIDA (the path of the noida-db binary)"

    private static var given: String? { environment("REJOINDER_TEST_BOOTSTRAP_SERVERS") }
    private static var binary: String? { environment("REJOINDER_TEST_NOIDA") }
    private static let started = Mutex<RealCluster?>(nil)

    /// The one cluster of this test process, started at the first call.
    package static func shared() throws -> RealCluster {
        try started.withLock { cluster in
            if let cluster { return cluster }
            let made = try RealCluster()
            cluster = made
            return made
        }
    }

    private init() throws {
        var properties = KafkaProperties()
        if let given = Self.given {
            bootstrapServers = given
        } else if let binary = Self.binary {
            bootstrapServers = "127.0.0.1:\(try ServerProcess.start(binary: binary))"
            // This server answers a fetch with all there is, regardless of the sizes that the client asks for.
            properties["receive.message.max.bytes"] = "1000000000"
        } else {
            throw Unavailable(reason: Self.reason)
        }
        properties["bootstrap.servers"] = bootstrapServers
        self.properties = properties
        admin = try AdminClient(properties: properties, logger: .silent)
        _ = try admin.clusterID(timeout: .seconds(20))
    }

    /// A name that nothing else uses, for topics, groups and transactional ids.
    package static func uniqueName(_ prefix: String) -> String {
        "\(prefix)-\(UInt64.random(in: 0 ... .max).description)"
    }

    /// Makes a topic with a unique name, hands its name out, deletes it after.
    package func withTopic<Result>(
        _ prefix: String = "test", partitions: Int32 = 1, settings: [String: String] = [:],
        _ body: (String) throws -> Result
    ) throws -> Result {
        let name = Self.uniqueName(prefix)
        try admin.createTopic(
            name, partitions: partitions, replicationFactor: 1, settings: settings, timeout: .seconds(15))
        defer { try? admin.deleteTopic(name, timeout: .seconds(15)) }
        return try body(name)
    }

    struct Unavailable: Error, CustomStringConvertible {
        let reason: String
        var description: String { "No Kafka cluster for tests: \(reason)" }
    }

    private static func environment(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

extension Logger {
    /// Says nothing.
    package static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// The server, and its end: a shell waits on a pipe that this process holds open, so the server stops (by its process
/// id) and its data goes however this process ends, a crash included. Not by SIGTERM: a child of a dispatch thread may
/// inherit it blocked.
private enum ServerProcess {
    private static let script = """
        "$1" start --only kafka --kafka-port "$2" --data-dir "$3" >"$3/log" 2>&1 &
        server=$!
        cat >/dev/null
        kill -9 "$server"
        wait "$server"
        rm -rf "$3"
        """

    /// - Returns: the port.
    static func start(binary: String) throws -> UInt16 {
        guard FileManager.default.isExecutableFile(atPath: binary) else {
            throw RealCluster.Unavailable(reason: "REJOINDER_TEST_NOIDA names no program: '\(binary)'")
        }
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("rejoinder-test-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let port = try freePort()
        let pipe = Pipe()
        // Other children of this process must not hold the pipe open.
        _ = fcntl(pipe.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script, "sh", binary, String(port), directory.path]
        process.standardInput = pipe.fileHandleForReading
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        held.withLock { $0.append((process, pipe)) }
        let deadline = ContinuousClock.now + .seconds(30)
        while !accepts(port: port) {
            guard .now < deadline, process.isRunning else {
                throw RealCluster.Unavailable(reason: "\(binary) did not start listening on port \(port) within 30 s")
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        return port
    }

    /// Kept to the end of the process.
    private static let held = Mutex<[(Process, Pipe)]>([])

    private static func freePort() throws -> UInt16 {
        let port = withSocket { descriptor, address, length -> UInt16? in
            address.pointee.sin_port = 0
            return address.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard bind(descriptor, generic, length) == 0 else { return nil }
                var length = length
                guard getsockname(descriptor, generic, &length) == 0 else { return nil }
                return generic.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    UInt16(bigEndian: $0.pointee.sin_port)
                }
            }
        }
        guard let port else { throw RealCluster.Unavailable(reason: "no free port on 127.0.0.1") }
        return port
    }

    private static func accepts(port: UInt16) -> Bool {
        withSocket { descriptor, address, length in
            address.pointee.sin_port = port.bigEndian
            return address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, length) == 0 ? true : nil
            }
        } ?? false
    }

    private static func withSocket<Result>(
        _ body: (Int32, UnsafeMutablePointer<sockaddr_in>, socklen_t) -> Result?
    ) -> Result? {
        #if os(Linux)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return body(descriptor, &address, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
}
