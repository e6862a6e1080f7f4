import AdminRequests
import Foundation

/// A server's answer, up to its hanging up. Status 0: nothing.
struct AdminClientAnswer: Sendable, Equatable {
    var status = 0
    /// By their names in lower case.
    var fields: [String: String] = [:]
    var body = ""

    init(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return }
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        body = String(text[end.upperBound...])
    }
}

/// One connection to an admin server, of a client that may misbehave.
final class AdminTestClient: Sendable {
    struct Failure: Error {
        var call: String
        var code = errno
    }

    private let descriptor: Int32

    /// Waits where the server takes its time, so it is not for a cooperative thread.
    private init(_ server: AdminAddress) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = server.port.bigEndian
        address.sin_addr.s_addr = inet_addr(server.host)
        #if canImport(Darwin)
            descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        guard descriptor >= 0 else { throw Failure(call: "socket") }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(call: "connect") }
    }

    deinit { close(descriptor) }

    static func connect(_ count: Int = 1, to server: AdminAddress) async throws -> [AdminTestClient] {
        try await onThread { try (0..<count).map { _ in try AdminTestClient(server) } }
    }

    /// Sends a request and reads until the server hangs up.
    static func exchange(_ request: String, with server: AdminAddress) async throws -> AdminClientAnswer {
        try await onThread {
            let client = try AdminTestClient(server)
            try client.send(request)
            return AdminClientAnswer(try client.readToEnd())
        }
    }

    /// A socket that listens and accepts nothing; the caller's to close.
    static func silentListener() throws -> (descriptor: Int32, address: AdminAddress) {
        #if canImport(Darwin)
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isListening else { throw Failure(call: "listen") }
        return (descriptor, AdminAddress(host: "127.0.0.1", port: UInt16(bigEndian: address.sin_port)))
    }

    /// Runs a blocking function on a thread of its own: the server needs the cooperative threads.
    static func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
        }
    }

    /// Short texts: the system takes them at once.
    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            // A server that has hung up has sent its whole answer.
            if count < 0, errno == EPIPE || errno == ECONNRESET { return }
            guard count > 0 else { throw Failure(call: "send") }
            sent += count
        }
    }

    /// Over and over, until the server takes no more for a while.
    func sendAsMuchAsIsTaken(_ text: String) throws {
        var patience = timeval(tv_sec: 0, tv_usec: 300_000)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let bytes = Array(text.utf8)
        var count = 1
        while count > 0 { count = Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
        guard errno == EAGAIN else { throw Failure(call: "send") }
    }

    /// Everything until the server hangs up.
    func answer() async throws -> AdminClientAnswer {
        try await Self.onThread { AdminClientAnswer(try self.readToEnd()) }
    }

    /// Receives until the answer holds a text, or the server hangs up; for answers without an end.
    func receive(until text: String) async throws -> String {
        try await Self.onThread {
            var received: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while String(decoding: received, as: UTF8.self).range(of: text) == nil {
                let count = recv(self.descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                received += buffer[..<count]
            }
            return String(decoding: received, as: UTF8.self)
        }
    }

    private func readToEnd() throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 { return bytes }
            if count < 0, errno == ECONNRESET { return bytes }
            guard count > 0 else { throw Failure(call: "recv") }
            bytes += buffer[..<count]
        }
    }

    /// Makes it go without a goodbye: closing, with the object, sends a reset.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout.size(ofValue: option)))
    }
}
