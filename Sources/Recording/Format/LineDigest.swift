import CCrypto

/// SHA-256 of a recording's lines. Not Sendable: belongs to a reader or a writer.
final class LineDigest {
    private static let length = 32

    private let context: OpaquePointer

    /// nil: no memory, or an OpenSSL whose configuration forbids SHA-256.
    init?() {
        guard let context = EVP_MD_CTX_new() else { return nil }
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            EVP_MD_CTX_free(context)
            return nil
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    func add(_ lines: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, lines.baseAddress, lines.count)
    }

    /// The hash in hexadecimal digits. Nothing can be added afterwards.
    func finish() -> String {
        var bytes = [UInt8](repeating: 0, count: Self.length)
        EVP_DigestFinal_ex(context, &bytes, nil)
        return bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
