import Bytes

/// A share of all keys. A key's bytes alone decide, so a sample has the same questions in every topic, run and machine,
/// and every larger sample contains a smaller one.
package struct KeySample: Sendable, Equatable {
    /// As it was given: "1%".
    package let text: String
    /// The share times 2^32.
    private let threshold: UInt64

    /// Reads "1%", "0.1%" or "100%"; nil for anything else.
    package init?(_ text: String) {
        guard text.hasSuffix("%"), text.utf8.dropLast().allSatisfy({ 0x30...0x39 ~= $0 || $0 == 0x2E }),
            let percent = Double(text.dropLast()), percent > 0, percent <= 100
        else { return nil }
        self.text = text
        threshold = UInt64((percent / 100 * 4_294_967_296).rounded(.up))
    }

    func contains(_ key: Bytes?) -> Bool {
        guard let key else { return false }
        // FNV-1a, with its high bits mixed into the low ones.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
        return (hash ^ hash >> 33) >> 32 < threshold
    }
}
