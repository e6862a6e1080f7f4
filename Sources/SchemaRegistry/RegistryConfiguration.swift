/// Addresses and credentials of a schema registry.
package struct RegistryConfiguration: Sendable, Equatable {
    /// A secret as it was given, or its file: read again for each request, so that it can be changed.
    package enum Secret: Sendable, Equatable {
        case text(String)
        case file(String)
    }

    /// Base addresses of one registry's servers, without user names or passwords.
    package var addresses: [String]
    /// For HTTP's basic authentication; nil: the client has none.
    package var username: String?
    /// Of ``username``.
    package var password: Secret?
    /// Certificates in PEM of the authorities to trust; nil: the system's.
    package var authorityFile: String?
    /// The client's own certificate and its key, in PEM.
    package var certificateFile: String?
    /// The key of ``certificateFile``; nil: it is in the same file.
    package var keyFile: String?
    /// Decrypts the key of ``keyFile``.
    package var keyPassword: String?

    /// - Parameter addresses: without any ``problem(ofAddresses:)``.
    package init(
        addresses: [String], username: String? = nil, password: Secret? = nil, authorityFile: String? = nil,
        certificateFile: String? = nil, keyFile: String? = nil, keyPassword: String? = nil
    ) {
        self.addresses = addresses
        self.username = username
        self.password = password
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.keyPassword = keyPassword
    }

    /// The problem of a list of addresses, as the end of a sentence that shows none of them; nil: there is none.
    package static func problem(ofAddresses text: String) -> String? {
        let addresses = Self.addresses(text)
        if addresses.isEmpty { return "names no address" }
        for address in addresses {
            guard let scheme = ["http://", "https://"].first(where: { address.hasPrefix($0) }) else {
                return "must be an address that begins with http:// or https://, or several with commas between them"
            }
            let rest = address.dropFirst(scheme.count)
            let host = rest.prefix { $0 != "/" }
            if host.contains("@") {
                return "holds a user name or a password; put them under registry.username and registry.password"
            }
            if host.isEmpty || rest.contains(where: { $0 == "?" || $0 == "#" || $0 == "@" || $0.isWhitespace }) {
                return "must be an address such as https://registry.example:8081, without a '?' or '#'"
            }
        }
        return nil
    }

    /// The addresses in a text, separated by commas.
    package static func addresses(_ text: String) -> [String] {
        text.split(separator: ",").map { part in
            var address = part.drop { $0 == " " }
            while address.last == " " || address.last == "/" { address.removeLast() }
            return String(address)
        }.filter { !$0.isEmpty }
    }
}
