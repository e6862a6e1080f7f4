import Bytes

/// A small file next to a store's data that says whether the data can be trusted.
///
/// Writes to the store are not synced (the topics hold the truth), so after a power loss the data file may be any
/// mixture of old and new pages. The seal detects this: it is `open` from before the first write until a close has
/// synced everything. The death of the process loses nothing, because its writes are in the kernel: so `open` from the
/// same boot of the machine is fine.
///
/// The file is one line of fixed length with a checksum, written by one call: a partial write counts as no seal, and
/// the store is rebuilt. `open` is synced, because it must be on disk before the first write to the data. `closed` is
/// not: if a power loss undoes it, the store is rebuilt needlessly.
enum StoreSeal: Equatable {
    /// Open for writing now, or when the process died, during this boot of the machine (nil: boot unknown).
    case open(boot: String?)
    /// Closed and synced: the data file as the close left it, and its last transaction. Seals of older versions have no
    /// stamp.
    case closed(size: UInt64, stamp: FileStamp?, transactionID: UInt64)

    static let fileName = "seal"
    private static let length = 160

    var bytes: [UInt8] {
        let text =
            switch self {
            case .open(let boot): "open \(boot ?? "-")"
            case .closed(let size, nil, let transactionID): "closed \(size) \(transactionID)"
            case .closed(let size, let stamp?, let transactionID): "closed \(size) \(transactionID) \(stamp)"
            }
        return Self.bytes(of: "rejoinder-store \(StoreLayout.version) \(text)")
    }

    /// The line with its checksum, padded with spaces.
    static func bytes(of line: String) -> [UInt8] {
        let text = "\(line) \(checksum(of: line))"
        return Array((text + String(repeating: " ", count: max(0, length - 1 - text.utf8.count)) + "\n").utf8)
    }

    static func write(_ seal: StoreSeal, in directory: String) throws(SystemFailure) {
        var isOpen = false
        if case .open = seal { isOpen = true }
        try FileSystem.overwrite(directory + "/" + fileName, with: seal.bytes, isSynced: isOpen)
    }

    /// - Throws: the reason not to trust the store, as the end of a sentence.
    static func read(in directory: String) throws(StoreDamage) -> StoreSeal {
        let bytes: [UInt8]
        do {
            bytes = try FileSystem.read(directory + "/" + fileName, limit: 512)
        } catch {
            throw StoreDamage("its seal file cannot be read (\(error.text))")
        }
        let text = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
        var words = text.split(separator: " ")
        guard bytes.count == length, bytes.last == 0x0A, let sum = words.popLast(),
            sum == checksum(of: words.joined(separator: " "))
        else { throw StoreDamage("its seal file is damaged") }
        guard words.count >= 3, words[0] == "rejoinder-store", let layout = UInt32(words[1]) else {
            throw StoreDamage("its seal file is damaged")
        }
        guard layout == StoreLayout.version else { throw StoreDamage(otherLayout: layout) }
        if words.count == 4, words[2] == "open" {
            return .open(boot: words[3] == "-" ? nil : String(words[3]))
        }
        if words[2] == "closed", words.count >= 5, let size = UInt64(words[3]), let transaction = UInt64(words[4]) {
            if words.count == 5 { return .closed(size: size, stamp: nil, transactionID: transaction) }
            if let stamp = FileStamp(words[5...]) {
                return .closed(size: size, stamp: stamp, transactionID: transaction)
            }
        }
        throw StoreDamage("its seal file is damaged")
    }

    private static func checksum(of line: String) -> String {
        String(StaticKey.withBytes(line) { Checksum.of(key: Bytes(start: nil, count: 0), value: $0) }, radix: 16)
    }
}
