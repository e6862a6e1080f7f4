/// Memory that a `RecordReader` uses again for every record: what was found, and room for ids that had to be unescaped.
struct Scratch {
    /// The longest id, in bytes.
    static let longestID = 200
    private static let idRooms = 4

    /// What a slot's field holds: whichever of the three belongs to the field's type.
    struct Value {
        var bytes = Bytes(start: nil, count: 0)
        /// An integer; for a boolean 0 or 1.
        var integer: Int64 = 0
        var instant: Instant?
    }

    /// Indexed by `FieldSlot`.
    let values: UnsafeMutablePointer<Value>
    /// Indexed as the table's fields: where the value of a field that was seen begins.
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

    /// Forgets what the last record had in the fields that the next one may lack.
    @inline(__always)
    func forgetOptionals() {
        values[FieldSlot.answeredAt.rawValue].instant = nil
        values[FieldSlot.withdrawn.rawValue].integer = 0
    }

    /// The id that a checked string stands for; nil unless it has 1 to 200 bytes of UTF-8.
    ///
    /// Points into the value, or, when there was something to unescape, into the room of its slot. The slots of ids are
    /// the first ones; an id that is only checked, not kept, has slot -1 and room of its own.
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

    /// The time that a checked string stands for.
    @inline(__always)
    static func instant(_ string: StringEnd, from start: Position) -> Instant? {
        guard string.hasEscapes else { return Instant(rfc3339: Bytes(from: start, to: string.closingQuote)) }
        return unescapedInstant(string, from: start)
    }

    /// Nobody writes a time with escapes, but one may: it gets memory for as long as it is read.
    @inline(never)
    private static func unescapedInstant(_ string: StringEnd, from start: Position) -> Instant? {
        withUnsafeTemporaryAllocation(byteCount: string.closingQuote - start, alignment: 1) { room in
            JSONText.unescape(from: start, to: string.closingQuote, into: room).flatMap {
                Instant(rfc3339: Bytes(rebasing: UnsafeRawBufferPointer(room)[..<$0]))
            }
        }
    }
}
