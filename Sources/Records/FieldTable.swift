/// A set of fields, one bit each, numbered as in the shape's `fields` followed by its `authorFields`.
typealias FieldSet = UInt32

/// A `RecordShape` laid out for the walk: plain words, so that handing it on counts no references, and a name found by
/// comparing two of them.
///
/// Belongs to one `RecordReader`, which frees it.
struct FieldTable {
    struct Entry {
        let name: PackedName
        let type: FieldType
        /// The raw value of a `FieldSlot`, or -1.
        let slot: Int8
        let bit: FieldSet
    }

    /// Up to 16 bytes of a name in two words, zeros behind them. No contract name holds a zero byte or is longer.
    struct PackedName {
        static let longest = 16
        var low: UInt64
        var high: UInt64
    }

    let kind: RecordKind
    let entries: UnsafeMutablePointer<Entry>
    let rootCount: Int
    let count: Int

    /// What every record of the kind must have.
    let required: FieldSet
    /// What a cast vote must have, and a counted one.
    let requiredInCast: FieldSet
    let requiredInCounted: FieldSet
    /// Fields of a cast vote alone, and of a counted one alone: in the other they are fields like any unknown one.
    let onlyInCast: FieldSet
    let onlyInCounted: FieldSet
    /// The fields that tell the two apart, `value` and `voteCount`. `castMark` is empty where the kind is not a vote.
    let castMark: FieldSet
    let countedMark: FieldSet

    init(_ kind: RecordKind) {
        let shape = kind.shape
        let fields = shape.fields + shape.authorFields
        precondition(fields.count <= FieldSet.bitWidth, "a table of ours that has outgrown its set of bits")
        self.kind = kind
        rootCount = shape.fields.count
        count = fields.count
        entries = .allocate(capacity: fields.count)
        var sets: [FieldPresence: FieldSet] = [:]
        for (index, field) in fields.enumerated() {
            let bit: FieldSet = 1 << FieldSet(index)
            (entries + index).initialize(
                to: Entry(
                    name: PackedName(
                        UnsafeRawBufferPointer(start: field.name.utf8Start, count: field.name.utf8CodeUnitCount)),
                    type: field.type, slot: Int8(field.slot?.rawValue ?? -1), bit: bit))
            sets[field.presence, default: 0] |= bit
        }
        required = sets[.required] ?? 0
        requiredInCast = sets[.requiredInCast] ?? 0
        requiredInCounted = sets[.requiredInCounted] ?? 0
        onlyInCast = requiredInCast | (sets[.optionalInCast] ?? 0)
        onlyInCounted = requiredInCounted | (sets[.optionalInCounted] ?? 0)
        func bit(of slot: FieldSlot) -> FieldSet {
            fields.firstIndex { $0.slot == slot }.map { 1 << FieldSet($0) } ?? 0
        }
        castMark = bit(of: .value)
        countedMark = bit(of: .voteCount)
    }

    func deallocate() { entries.deallocate() }

    func field(_ index: Int) -> Field {
        index < rootCount ? kind.shape.fields[index] : kind.shape.authorFields[index - rootCount]
    }
}

extension FieldTable.PackedName {
    /// Packs a name of at most 16 bytes.
    @inline(__always)
    init(_ name: Bytes) {
        if name.count > 8 {
            // Two overlapping loads; what the second has twice is shifted out.
            let surplus = UInt64(truncatingIfNeeded: (16 &- name.count) &* 8)
            let last = UInt64(littleEndian: name.loadUnaligned(fromByteOffset: name.count &- 8, as: UInt64.self))
            low = UInt64(littleEndian: name.loadUnaligned(as: UInt64.self))
            high = last >> surplus
        } else {
            low = 0
            high = 0
            var index = name.count
            while index > 0 {
                index &-= 1
                low = low << 8 | UInt64(name[index])
            }
        }
    }
}
