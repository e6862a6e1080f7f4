import Foundation

/// A connection to an admin server, with a deadline for each wait. Blocks the calling thread.
///
/// Not Sendable: used by one thread, and closed when it is released.
final class AdminSocket {
    private let descriptor: Int32
    var deadline: ContinuousClock.Instant

    /// Connects to the first address of the host that accepts.
    /// - Parameter host: a name or an address, IPv6 without brackets. The lookup of a name has no deadline.
    static func connect(
        host: String, port: UInt16, deadline: ContinuousClock.Instant
    ) throws(AdminProbe.Failure) -> AdminSocket {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICSERV
        hints.ai_protocol = Int32(IPPROTO_TCP)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &found)
        defer { if let found { freeaddrinfo(found) } }
        guard status == 0 else { throw AdminProbe.Failure(description: String(cString: gai_strerror(status))) }
        var failure = AdminProbe.Failure(description: "it has no address")
        var next = found
        while let address = next?.pointee {
            next = address.ai_next
            do throws(AdminProbe.Failure) {
                return try AdminSocket(address, deadline: deadline)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private init(_ address: addrinfo, deadline: ContinuousClock.Instant) throws(AdminProbe.Failure) {
        self.deadline = deadline
        #if canImport(Darwin)
            descriptor = socket(address.ai_family, SOCK_STREAM, address.ai_protocol)
        #else
            descriptor = socket(address.ai_family, Int32(SOCK_STREAM.rawValue), address.ai_protocol)
        #endif
        guard descriptor >= 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { throw Self.failure() }
        if Foundation.connect(descriptor, address.ai_addr, address.ai_addrlen) != 0 {
            guard errno == EINPROGRESS else { throw Self.failure() }
            try wait(for: POLLOUT)
            var code: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { throw Self.failure() }
            guard code == 0 else { throw AdminProbe.Failure(description: String(cString: strerror(code))) }
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func send(_ bytes: [UInt8]) throws(AdminProbe.Failure) {
        #if canImport(Darwin)
            // Darwin lacks the flag below. There SIGPIPE may end a process, which is acceptable for one that only asks.
            let flags: Int32 = 0
        #else
            let flags = Int32(MSG_NOSIGNAL)
        #endif
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                Foundation.send(descriptor, bytes.baseAddress! + sent, bytes.count - sent, flags)
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(for: POLLOUT)
            } else if errno != EINTR {
                throw Self.failure()
            }
        }
    }

    /// The next bytes received; empty when the peer has closed the connection.
    func receive() throws(AdminProbe.Failure) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            try wait(for: POLLIN)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count >= 0 { return Array(buffer[..<count]) }
            if errno != EAGAIN && errno != EINTR { throw Self.failure() }
        }
    }

    private func wait(for events: Int32) throws(AdminProbe.Failure) {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let left = (deadline - .now) / .milliseconds(1)
            guard left > 0 else { throw AdminProbe.Failure(description: "no answer in time") }
            let count = poll(&entry, 1, Int32(min(left.rounded(.up), 1e9)))
            if count > 0 { return }
            if count < 0, errno != EINTR { throw Self.failure() }
        }
    }

    /// The failure in `errno`.
    private static func failure() -> AdminProbe.Failure {
        AdminProbe.Failure(description: String(cString: strerror(errno)))
    }
}
