import Foundation
import NIOCore
import Synchronization

/// The Host names that an admin server answers to. A web page can resolve its own name to 127.0.0.1 (DNS rebinding);
/// the requests of a browser on the worker's host then carry the page's name as Host. So a server on loopback answers
/// only to names whose address no web page controls.
final class AdminHostRule: Sendable {
    /// The configured host: a name that the operator gave to this host is accepted.
    private let configured: String
    /// True, the stricter rule, until the bound address is known.
    private let isOnLoopback = Atomic(true)

    /// - Parameter configured: the configured name or address to listen on, IPv6 without brackets.
    init(configured: String) { self.configured = configured }

    func note(bound address: SocketAddress?) {
        // An address that is no internet address is out of a web page's reach.
        isOnLoopback.store(address?.isLoopback ?? false, ordering: .relaxed)
    }

    /// - Parameter host: the request's Host; nil: none. Browsers always send one.
    func answers(to host: String?) -> Bool {
        guard isOnLoopback.load(ordering: .relaxed), let host else { return true }
        guard let name = Self.name(of: host) else { return false }
        if name == "localhost" || name == configured.lowercased() { return true }
        return (try? SocketAddress(ipAddress: name, port: 0))?.isLoopback ?? false
    }

    /// The name without port, brackets and trailing dot, in lower case; nil: not a valid Host.
    private static func name(of host: String) -> String? {
        var rest = host.lowercased()[...]
        var name: Substring
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            name = rest[rest.index(after: rest.startIndex)..<end]
            guard name.contains(":") else { return nil }
            rest = rest[rest.index(after: end)...]
        } else {
            name = rest.prefix { $0 != ":" }
            rest = rest.dropFirst(name.count)
            if name.last == "." { name.removeLast() }
        }
        let port = rest.dropFirst()
        guard rest.isEmpty || rest.first == ":", port.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return String(name)
    }

    /// The error and its remedy, for people.
    static func refusal(port: Int?) -> String {
        let port = port.map { ":\($0)" } ?? ""
        return
            "this worker listens on its own host alone and is not asked by this name, so that no web page can ask it "
            + "by a name of its own; ask for http://127.0.0.1\(port) or http://localhost\(port), let a proxy send that "
            + "as Host, or set admin.host to the address at which others are to reach it"
    }
}

extension SocketAddress {
    /// 127.0.0.0/8, also as IPv6 writes it, and ::1.
    var isLoopback: Bool {
        switch self {
        case .v4(let address):
            return UInt32(bigEndian: address.address.sin_addr.s_addr) >> 24 == 127
        case .v6(let address):
            var bytes = address.address.sin6_addr
            return withUnsafeBytes(of: &bytes) { bytes in
                let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
                return isMapped ? bytes[12] == 127 : bytes[..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
            }
        case .unixDomainSocket:
            return false
        }
    }
}
