import Bytes

/// Memory that a `RecordReader` reuses for every record: the values found, and buffers for ids that need unescaping.
struct Scratch {
    /// The longest id, in bytes.
    static let longestID = 200
    private static let idRooms = 4

    /// The value of a slot's field; the field's type decides which of the three is set.
    struct Value {
        var bytes = Bytes(start: nil, count: 0)
        /// An integer; for a boolean 0 or 1.
        var integer: Int64 = 0
        var instant: Instant?
    }

    /// Indexed by `FieldSlot`.
    let values: UnsafeMutablePointer<Value>
    /// Indexed by the table's fields: where the value of a seen field begins.
    let starts: UnsafeMutablePointer<Position>
    private let idRoom: UnsafeMutableRawPointer

    init() {
        values = .allocate(capacity: FieldSlot.count)
        values.initialize(repeating: Value(), count: FieldSlot.count)
        starts = .allocate(capacity: FieldSet.bitWidth)
        idRoom = .allocate(byteCount: Self.idRooms * Self.longestID, alignment: 16)
    }

    func deallocate() {
        values.deallocate()
        starts.deallocate()
        idRoom.deallocate()
    }

    @inline(__always)
    subscript(slot: FieldSlot) -> Value {
        unsafeAddress { UnsafePointer(values + slot.rawValue) }
    }

    /// Clears the last record's optional fields, which the next record may lack.
    @inline(__always)
    func forgetOptionals() {
        values[FieldSlot.answeredAt.rawValue].instant = nil
        values[FieldSlot.withdrawn.rawValue].integer = 0
    }

    /// The unescaped id in a checked string; nil unless it has 1 to 200 bytes of UTF-8.
    ///
    /// Points into the value, or, if the string has escapes, into its slot's buffer. The id slots come first; an id
    /// that is checked but not kept has slot -1 and a buffer of its own.
    @inline(__always)
    func id(_ string: StringEnd, from start: Position, slot: Int8) -> Bytes? {
        guard string.hasEscapes else {
            let id = Bytes(from: start, to: string.closingQuote)
            return 1...Self.longestID ~= id.count ? id : nil
        }
        return unescapedID(string, from: start, slot: slot)
    }

    @inline(never)
    private func unescapedID(_ string: StringEnd, from start: Position, slot: Int8) -> Bytes? {
        let room = UnsafeMutableRawBufferPointer(
            start: idRoom + (Int(slot) + 1) % Self.idRooms * Self.longestID, count: Self.longestID)
        guard let length = JSONText.unescape(from: start, to: string.closingQuote, into: room) else { return nil }
        return Bytes(rebasing: UnsafeRawBufferPointer(room)[..<length])
    }

    /// The time in a checked string.
    @inline(__always)
    static func instant(_ string: StringEnd, from start: Position) -> Instant? {
        guard string.hasEscapes else { return Instant(rfc3339: Bytes(from: start, to: string.closingQuote)) }
        return unescapedInstant(string, from: start)
    }

    /// Escapes in a time are legal but rare, so the unescaped text gets temporary memory.
    @inline(never)
    private static func unescapedInstant(_ string: StringEnd, from start: Position) -> Instant? {
        withUnsafeTemporaryAllocation(byteCount: string.closingQuote - start, alignment: 1) { room in
            JSONText.unescape(from: start, to: string.closingQuote, into: room).flatMap {
                Instant(rfc3339: Bytes(rebasing: UnsafeRawBufferPointer(room)[..<$0]))
            }
        }
    }
}
