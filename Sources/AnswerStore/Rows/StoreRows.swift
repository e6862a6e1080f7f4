import Bytes

// The layout of rows in LMDB. Numbers are little-endian, like every supported platform; a row begins with the 32-bit
// checksum of its key and of the bytes after the checksum. Any change here needs a new `StoreLayout.version`.

enum StoreLayout {
    /// Stores of another version are rebuilt from the topics.
    static let version: UInt32 = 2
    /// The named databases, in LMDB's order.
    static let tables = ["answers", "meta", "questions", "tallies", "voters"]
    static let checksumLength = 4
    /// Ids are 1 to 200 bytes, so that the longest key (a voter's: 1 + 200 + 4 + 200) fits LMDB's 511.
    static let idLengths = 1...200
    static let longestKey = 1 + 200 + 4 + 200
}

/// `answers`: key = length of the question id, question id, answer id. Value = checksum, flags, instant, JSON.
enum AnswerRow {
    static let headerLength = 4 + 4 + 8 + 8
    private static let hasInstant: UInt32 = 1

    static func write(
        _ json: Bytes, answeredAt: Instant?, key: Bytes, to row: UnsafeMutableRawBufferPointer
    ) {
        row.storeBytes(of: answeredAt == nil ? 0 : hasInstant, toByteOffset: 4, as: UInt32.self)
        row.storeBytes(of: answeredAt?.seconds ?? 0, toByteOffset: 8, as: Int64.self)
        row.storeBytes(of: answeredAt?.attoseconds ?? 0, toByteOffset: 16, as: UInt64.self)
        if let base = json.baseAddress, let target = row.baseAddress, json.count > 0 {
            (target + headerLength).copyMemory(from: base, byteCount: json.count)
        }
        sealRow(row, key: key)
    }

    /// Nil when the row is too short to be valid.
    @inline(__always)
    static func read(_ row: Bytes) -> (json: Bytes, answeredAt: Instant?)? {
        guard row.count >= headerLength else { return nil }
        let json = Bytes(rebasing: row[headerLength...])
        guard row.loadUnaligned(fromByteOffset: 4, as: UInt32.self) & hasInstant != 0 else { return (json, nil) }
        let instant = Instant(
            seconds: row.loadUnaligned(fromByteOffset: 8, as: Int64.self),
            attoseconds: row.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        return (json, instant)
    }
}

/// `tallies`: key = length of the question id, question id. Value = checksum, number of entries, then per answer that
/// ever had a vote, in bytewise order of the ids: voteCount, answer number, length of the answer id, answer id.
///
/// The numbers (0, 1, 2 ... in order of first appearance) replace the answer ids in the keys of `voters`. A *counted*
/// record's starting count needs no field of its own: a cast adds its new value minus its old one to voteCount.
enum TallyRow {
    static let headerLength = 4 + 4
    static let entryHeaderLength = 8 + 4 + 1

    struct Entry {
        var voteCount: Int64
        var number: UInt32
        var answerID: Bytes
    }

    /// Iterates over a row's entries; never reads outside the row, even if it is damaged.
    struct Cursor {
        private(set) var rest: Bytes

        init(_ row: Bytes) {
            rest = row.count >= headerLength ? Bytes(rebasing: row[headerLength...]) : Bytes(start: nil, count: 0)
        }

        /// Nil at the end, and where the next entry is truncated.
        @inline(__always)
        var entry: Entry? { Self.entry(in: rest, at: 0) }

        @inline(__always)
        static func entry(in row: Bytes, at offset: Int) -> Entry? {
            guard row.count - offset > entryHeaderLength else { return nil }
            let length = Int(row[offset + 12])
            guard length > 0, row.count - offset >= entryHeaderLength + length else { return nil }
            return Entry(
                voteCount: row.loadUnaligned(fromByteOffset: offset, as: Int64.self),
                number: row.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self),
                answerID: row.piece(offset + entryHeaderLength, length))
        }

        @inline(__always)
        mutating func advance(past entry: Entry) {
            rest = Bytes(rebasing: rest[(entryHeaderLength + entry.answerID.count)...])
        }
    }
}

extension TallyRow {
    /// Edits a copy of a row. The answers must come in bytewise order of their ids, each once.
    struct Editor {
        private(set) var row: GrowingBuffer<UInt8>
        private(set) var isChanged = false
        /// The offset of the entry returned last.
        private var place = headerLength
        /// The offset after the entries passed.
        private var next = headerLength
        /// The number of entries before `next`.
        private var passed: UInt32 = 0
        /// The number of entries according to the row's header, plus the new ones.
        private(set) var count: UInt32

        /// - Parameter row: a whole row, or empty.
        init(_ row: GrowingBuffer<UInt8>) {
            self.row = row
            if row.count >= headerLength {
                count = row.bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
            } else {
                count = 0
                self.row.removeAll()
                self.row.append(number: UInt64(0))
            }
        }

        /// The answer's entry, created if missing.
        mutating func entry(of answerID: Bytes) -> Entry {
            while let entry = Cursor.entry(in: row.bytes, at: next) {
                let order = compareBytes(entry.answerID, answerID)
                if order > 0 { break }
                place = next
                next += entryHeaderLength + entry.answerID.count
                passed += 1
                if order == 0 { return entry }
            }
            let entry = Entry(voteCount: 0, number: count, answerID: answerID)
            place = next
            row.openGap(at: place, entryHeaderLength + answerID.count)
            let bytes = row.mutableBytes
            bytes.storeBytes(of: entry.voteCount, toByteOffset: place, as: Int64.self)
            bytes.storeBytes(of: entry.number, toByteOffset: place + 8, as: UInt32.self)
            bytes[place + 12] = UInt8(truncatingIfNeeded: answerID.count)
            next = place + entryHeaderLength
            UnsafeMutableRawBufferPointer(rebasing: bytes[next...]).copyMemory(from: answerID)
            next += answerID.count
            passed += 1
            count &+= 1
            isChanged = true
            return entry
        }

        /// Sets the voteCount of the entry returned last.
        mutating func set(_ entry: Entry) {
            let bytes = row.mutableBytes
            guard bytes.loadUnaligned(fromByteOffset: place, as: Int64.self) != entry.voteCount else { return }
            bytes.storeBytes(of: entry.voteCount, toByteOffset: place, as: Int64.self)
            isChanged = true
        }

        /// Whether the row consists of exactly as many entries as it states. Call after all edits.
        var isWhole: Bool {
            var (next, passed) = (next, passed)
            while let entry = Cursor.entry(in: row.bytes, at: next) {
                next += entryHeaderLength + entry.answerID.count
                passed &+= 1
            }
            return next == row.count && passed == count
        }

        /// The row ready to be stored.
        mutating func seal(key: Bytes) -> Bytes {
            let bytes = row.mutableBytes
            bytes.storeBytes(of: count, toByteOffset: 4, as: UInt32.self)
            sealRow(bytes, key: key)
            return Bytes(bytes)
        }
    }
}

/// `voters`: key = length of the question id, question id, answer number (big-endian), voter id. Value = checksum and
/// the voter's current vote, -1 or 1; a retracted vote has no row.
enum VoterRow {
    static let length = 5

    @inline(__always)
    static func value(_ row: Bytes) -> Int8? {
        row.count == length ? row.load(fromByteOffset: 4, as: Int8.self) : nil
    }

    static func write(_ value: Int8, key: Bytes, to row: UnsafeMutableRawBufferPointer) {
        row.storeBytes(of: value, toByteOffset: 4, as: Int8.self)
        sealRow(row, key: key)
    }
}

/// Stores the row's checksum; the rest of the row must be complete.
func sealRow(_ row: UnsafeMutableRawBufferPointer, key: Bytes) {
    let content = Bytes(rebasing: row[StoreLayout.checksumLength...])
    row.storeBytes(of: Checksum.of(key: key, value: content), as: UInt32.self)
}

/// Whether the row is as it was written under this key.
func rowIsIntact(key: Bytes, row: Bytes) -> Bool {
    guard row.count > StoreLayout.checksumLength else { return false }
    let content = Bytes(rebasing: row[StoreLayout.checksumLength...])
    return row.loadUnaligned(as: UInt32.self) == Checksum.of(key: key, value: content)
}
