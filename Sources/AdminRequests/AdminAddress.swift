/// The admin server's address: a numeric host and a port.
package struct AdminAddress: Sendable, Equatable, CustomStringConvertible {
    /// An IPv4 or IPv6 address, the latter without brackets.
    package let host: String
    /// As bound: never 0.
    package let port: UInt16

    /// - Parameter host: an IPv4 or IPv6 address, the latter without brackets.
    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// "127.0.0.1:9464", "[::1]:9464"
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
