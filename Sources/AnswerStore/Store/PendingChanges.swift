import Bytes

/// The changes of an ``IndexStore``'s transaction, in order.
struct PendingChanges {
    /// Whether all rows are deleted first.
    private(set) var isEmptied = false
    private var log: [UInt8] = []
    private(set) var count = 0

    var byteCount: Int { log.count }

    /// All rows are deleted; earlier changes count no more.
    mutating func empty() {
        removeAll()
        isEmptied = true
    }

    mutating func removeAll() {
        isEmptied = false
        log.removeAll(keepingCapacity: true)
        count = 0
    }

    /// - Parameter value: nil deletes the key's row.
    mutating func set(_ table: LMDBTable, _ key: Bytes, _ value: Bytes?) {
        let head = Head(table: table, key: key.count, value: value?.count)
        withUnsafeBytes(of: head) { log.append(contentsOf: $0) }
        log.append(contentsOf: key)
        if let value { log.append(contentsOf: value) }
        count += 1
    }

    func replay(
        _ body: (_ table: LMDBTable, _ key: Bytes, _ value: Bytes?) throws(LMDBFailure) -> Void
    ) throws(LMDBFailure) {
        try Bytes.lend(log) { (log) throws(LMDBFailure) in
            var place = 0
            while place < log.count {
                let head = log.loadUnaligned(fromByteOffset: place, as: Head.self)
                place += MemoryLayout<Head>.size
                let key = log.piece(place, head.key)
                place += head.key
                try body(head.table, key, head.value.map { log.piece(place, $0) })
                place += head.value ?? 0
            }
        }
    }

    private struct Head {
        let table: LMDBTable
        let key: Int
        let value: Int?
    }
}
