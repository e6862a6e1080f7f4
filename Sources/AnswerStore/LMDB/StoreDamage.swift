/// Why a store's files cannot be trusted, as the end of a sentence that begins with "the store".
struct StoreDamage: Error, Equatable {
    let reason: String

    init(_ reason: String) { self.reason = reason }

    init(otherLayout layout: UInt32) {
        reason = "it has layout \(layout), and this version of rejoinder reads layout \(StoreLayout.version)"
    }
}
