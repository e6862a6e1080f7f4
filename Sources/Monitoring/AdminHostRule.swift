import Foundation
import NIOCore
import Synchronization

/// Which names an admin server answers to. A web page can give its own name the address 127.0.0.1 (DNS rebinding), and what a
/// browser on the worker's host then asks for that page carries the page's name as its Host. So a server that listens on
/// loopback answers only to names that nobody else can give an address.
final class AdminHostRule: Sendable {
    /// As it was configured: a name that the operator gave to this host is one that may be asked for.
    private let configured: String
    /// Until it is known where the server listens, it is as strict as it may have to be.
    private let isOnLoopback = Atomic(true)

    /// - Parameter configured: where the server listens, a name or an address, IPv6 without brackets.
    init(configured: String) { self.configured = configured }

    func note(bound address: SocketAddress?) {
        // What is no internet address no page can name either.
        isOnLoopback.store(address?.isLoopback ?? false, ordering: .relaxed)
    }

    /// - Parameter host: the request's Host; nil: it has none, as a browser's never has.
    func answers(to host: String?) -> Bool {
        guard isOnLoopback.load(ordering: .relaxed), let host else { return true }
        guard let name = Self.name(of: host) else { return false }
        if name == "localhost" || name == configured.lowercased() { return true }
        return (try? SocketAddress(ipAddress: name, port: 0))?.isLoopback ?? false
    }

    /// Without the port, brackets and a dot at the end, in lower case; nil where it is none.
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

    /// What to do, for people.
    static func refusal(port: Int?) -> String {
        let port = port.map { ":\($0)" } ?? ""
        return
            "this worker listens on its own host alone and is not asked by this name, so that no web page can ask it by a name "
            + "of its own; ask for http://127.0.0.1\(port) or http://localhost\(port), let a proxy send that as Host, or set "
            + "admin.host to the address at which others are to reach it"
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
