import Foundation

/// Asks an admin server: one GET over a plain socket, with one deadline for all of it. Blocks the thread it is called on.
package struct AdminProbe: Sendable {
    package struct Answer: Sendable, Equatable {
        package let status: Int
        package let body: String
    }

    /// Why there is no answer: the end of a sentence.
    package struct Failure: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// An answer of ours is far shorter.
    private static let maxAnswerBytes = 1 << 20

    private let host: String
    private let port: UInt16
    private let path: String
    private let deadline: ContinuousClock.Instant

    /// - Parameters:
    ///   - host: a name or an address, IPv6 without brackets.
    ///   - path: begins with `/`; printable ASCII without spaces.
    ///   - patience: how long the whole may take, the lookup of a name not included.
    package static func get(host: String, port: UInt16, path: String, patience: Duration) throws(Failure) -> Answer {
        try AdminProbe(host: host, port: port, path: path, deadline: .now + patience).get()
    }

    private func get() throws(Failure) -> Answer {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICSERV
        hints.ai_protocol = Int32(IPPROTO_TCP)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &found)
        defer { if let found { freeaddrinfo(found) } }
        guard status == 0 else { throw Failure(description: String(cString: gai_strerror(status))) }
        var failure = Failure(description: "it has no address")
        var next = found
        while let address = next?.pointee {
            next = address.ai_next
            do throws(Failure) {
                return try ask(address)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private func ask(_ address: addrinfo) throws(Failure) -> Answer {
        #if canImport(Darwin)
            let descriptor = socket(address.ai_family, SOCK_STREAM, address.ai_protocol)
        #else
            let descriptor = socket(address.ai_family, Int32(SOCK_STREAM.rawValue), address.ai_protocol)
        #endif
        guard descriptor >= 0 else { throw Self.failure() }
        defer { close(descriptor) }
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { throw Self.failure() }
        if connect(descriptor, address.ai_addr, address.ai_addrlen) != 0 {
            guard errno == EINPROGRESS else { throw Self.failure() }
            try wait(for: POLLOUT, on: descriptor)
            var code: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { throw Self.failure() }
            guard code == 0 else { throw Failure(description: String(cString: strerror(code))) }
        }
        let name = host.contains(":") ? "[\(host)]" : host
        let request =
            "GET \(path) HTTP/1.1\r\nHost: \(name):\(port)\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
        try send(Array(request.utf8), to: descriptor)
        return try Self.answer(try receive(from: descriptor))
    }

    private func send(_ bytes: [UInt8], to descriptor: Int32) throws(Failure) {
        #if canImport(Darwin)
            // There the flag below is missing, and a process that only asks may well end by a closed connection.
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
                try wait(for: POLLOUT, on: descriptor)
            } else if errno != EINTR {
                throw Self.failure()
            }
        }
    }

    /// Everything until the other side hangs up.
    private func receive(from descriptor: Int32) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < Self.maxAnswerBytes {
            try wait(for: POLLIN, on: descriptor)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 { break }
            if count > 0 {
                bytes += buffer[..<count]
            } else if errno != EAGAIN && errno != EINTR {
                throw Self.failure()
            }
        }
        return bytes
    }

    private func wait(for events: Int32, on descriptor: Int32) throws(Failure) {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let left = (deadline - .now) / .milliseconds(1)
            guard left > 0 else { throw Failure(description: "no answer in time") }
            let count = poll(&entry, 1, Int32(left.rounded(.up)))
            if count > 0 { return }
            if count < 0, errno != EINTR { throw Self.failure() }
        }
    }

    static func answer(_ bytes: [UInt8]) throws(Failure) -> Answer {
        let text = String(decoding: bytes, as: UTF8.self)
        let line = text.prefix { !$0.isNewline }.split(separator: " ", maxSplits: 2)
        guard line.count >= 2, line[0].hasPrefix("HTTP/1."), line[1].utf8.count == 3, let status = Int(line[1]),
            let end = text.range(of: "\r\n\r\n")
        else { throw Failure(description: "what answers there does not speak HTTP") }
        return Answer(status: status, body: String(text[end.upperBound...]))
    }

    /// From `errno`.
    private static func failure() -> Failure { Failure(description: String(cString: strerror(errno))) }
}
