import AdminRequests
import Throughput

/// Another worker of the group, by its admin address.
package struct GroupPeer: Sendable, Hashable {
    /// A name or an address, IPv6 without brackets.
    package let host: String
    /// The port of the admin server, or of a proxy before it.
    package let port: UInt16
    /// Prefix of `/now`: "", or a path that a proxy requires.
    package let path: String

    /// - Parameter host: a name or an address, IPv6 without brackets.
    package init(host: String, port: UInt16, path: String = "") {
        self.host = host
        self.port = port
        self.path = path
    }

    var url: String { "http://\(AdminAddress(host: host, port: port))\(path)" }
}

/// A worker of the group and its current answer.
struct GroupMember: Sendable {
    /// nil: the worker that is asked.
    var url: String?
    var answer: Answer

    /// The worker's identity; nil: it does not answer.
    var worker: String? {
        if case .line(let line) = answer { line.worker } else { nil }
    }

    enum Answer: Sendable {
        case line(ThroughputLine)
        /// The end of a sentence.
        case none(reason: String)
    }
}
