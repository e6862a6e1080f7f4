import Bytes

/// A short text's bytes as an LMDB key.
enum StaticKey {
    static func withBytes<Result>(_ text: String, _ body: (Bytes) -> Result) -> Result {
        var text = text
        return text.withUTF8 { body(Bytes($0)) }
    }
}
