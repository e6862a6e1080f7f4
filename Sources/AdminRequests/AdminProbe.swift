import Foundation

/// Asks an admin server: one GET over a plain socket, with one deadline for the whole. Blocks the calling thread.
package struct AdminProbe: Sendable {
    /// A whole answer of any status.
    package struct Answer: Sendable, Equatable {
        /// The HTTP status.
        package let status: Int
        /// Decoded as UTF-8, with replacements for other bytes.
        package let body: String
    }

    /// The reason why there is no answer: the end of a sentence.
    package struct Failure: Error, Sendable, CustomStringConvertible {
        /// With the remedy, where the probe knows one.
        package let description: String
    }

    /// The meaning of a worker's status 421, and the remedy: the end of a sentence.
    package static let onlyLocalNames =
        "listens on its own host alone and does not answer to this name: ask for it there, as 127.0.0.1 or localhost, "
        + "or set its admin.host to the address at which it is to be reached"

    /// Far above the length of our answers.
    private static let maxAnswerBytes = 1 << 20

    private let host: String
    private let port: UInt16
    private let path: String
    private let deadline: ContinuousClock.Instant

    /// - Parameters:
    ///   - host: a name or an address, IPv6 without brackets.
    ///   - path: begins with `/`; printable ASCII without spaces.
    ///   - patience: the longest wait for the whole, without the lookup of a name.
    package static func get(host: String, port: UInt16, path: String, patience: Duration) throws(Failure) -> Answer {
        try AdminProbe(host: host, port: port, path: path, deadline: .now + patience).get()
    }

    private func get() throws(Failure) -> Answer {
        let socket = try AdminSocket.connect(host: host, port: port, deadline: deadline)
        try socket.send(Self.request(host: host, port: port, path: path, accept: "application/json"))
        // All bytes up to the end of the connection.
        var bytes: [UInt8] = []
        while bytes.count < Self.maxAnswerBytes {
            let more = try socket.receive()
            if more.isEmpty { break }
            bytes += more
        }
        return try Self.answer(bytes)
    }

    static func request(host: String, port: UInt16, path: String, accept: String) -> [UInt8] {
        let name = host.contains(":") ? "[\(host)]" : host
        return Array(
            "GET \(path) HTTP/1.1\r\nHost: \(name):\(port)\r\nAccept: \(accept)\r\nConnection: close\r\n\r\n".utf8)
    }

    static func answer(_ bytes: [UInt8]) throws(Failure) -> Answer {
        let text = String(decoding: bytes, as: UTF8.self)
        let line = text.prefix { !$0.isNewline }.split(separator: " ", maxSplits: 2)
        guard line.count >= 2, line[0].hasPrefix("HTTP/1."), line[1].utf8.count == 3, let status = Int(line[1]),
            let end = text.range(of: "\r\n\r\n")
        else { throw Failure(description: "the program there does not speak HTTP") }
        return Answer(status: status, body: String(text[end.upperBound...]))
    }
}
