import Bytes

/// A set of fields, one bit each, numbered in the order of the shape's `fields`, then its `authorFields`.
typealias FieldSet = UInt32

/// A `RecordShape` laid out for the walk: plain words, so passing it on costs no reference counting, and two word
/// comparisons match a name.
///
/// Owned and freed by one `RecordReader`.
struct FieldTable {
    struct Entry {
        let name: PackedName
        let type: FieldType
        /// The raw value of a `FieldSlot`, or -1.
        let slot: Int8
        let bit: FieldSet
    }

    /// Up to 16 bytes of a name in two words, padded with zeros. No contract name is longer or contains a zero byte.
    struct PackedName {
        static let longest = 16
        var low: UInt64
        var high: UInt64
    }

    let kind: RecordKind
    let entries: UnsafeMutablePointer<Entry>
    let rootCount: Int
    let count: Int

    /// The fields required in every record of the kind.
    let required: FieldSet
    /// The fields required in a cast vote, and in a counted vote.
    let requiredInCast: FieldSet
    let requiredInCounted: FieldSet
    /// Fields only of cast votes, and only of counted ones; in the other kind they are treated as unknown fields.
    let onlyInCast: FieldSet
    let onlyInCounted: FieldSet
    /// The fields that distinguish the two, `value` and `voteCount`. `castMark` is empty unless the kind is a vote.
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
            // Two overlapping loads; the shift drops the bytes that both have.
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
