import Bytes

/// A record in a `RecordSorter`, which owns its bytes.
struct SortedRecord {
    /// The first sort key: a timestamp or an offset.
    var rank: Int64
    var offset: Int64
    /// Milliseconds since 1970; -1 is Kafka's value for none.
    var time: Int64
    /// Bits for the sorter's caller.
    var tag: UInt8
    /// nil is Kafka's null.
    var key: Bytes?
    /// nil is Kafka's null.
    var value: Bytes?
    /// In ``PackedHeaders``'s form; empty without headers.
    var headers: Bytes

    var timestamp: Int64? { time < 0 ? nil : time }
}

/// The record as an item of a sorter: rank and offset, by which it is sorted, time, two lengths (-1 for null), then
/// key, value and headers.
extension SortedRecord {
    /// The size of rank and offset, each big-endian and with its sign bit inverted, so that bytes have the order of
    /// numbers.
    static let sortKey = 16
    private static let head = sortKey + 16

    /// The item's size in bytes.
    var size: Int { Self.head + (key?.count ?? 0) + (value?.count ?? 0) + headers.count }

    /// - Parameter room: `size` bytes.
    func write(to room: UnsafeMutableRawBufferPointer) {
        room.storeBytes(of: Self.ordered(rank).bigEndian, as: Int64.self)
        room.storeBytes(of: Self.ordered(offset).bigEndian, toByteOffset: 8, as: Int64.self)
        room.storeBytes(of: time, toByteOffset: 16, as: Int64.self)
        room.storeBytes(of: key.map { Int32($0.count) } ?? -1, toByteOffset: 24, as: Int32.self)
        room.storeBytes(of: value.map { Int32($0.count) } ?? -1, toByteOffset: 28, as: Int32.self)
        var place = Self.head
        for part in [key, value, headers] {
            guard let part else { continue }
            UnsafeMutableRawBufferPointer(rebasing: room[place...]).copyMemory(from: part)
            place += part.count
        }
    }

    init(_ item: SortItem) {
        let bytes = item.contents
        let (key, value) = (Self.length(bytes, 24), Self.length(bytes, 28))
        let valueStart = Self.head + max(0, key)
        let headers = valueStart + max(0, value)
        rank = Self.ordered(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
        offset = Self.ordered(Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int64.self)))
        time = bytes.loadUnaligned(fromByteOffset: 16, as: Int64.self)
        tag = UInt8(truncatingIfNeeded: item.tag)
        self.key = key < 0 ? nil : bytes.piece(Self.head, key)
        self.value = value < 0 ? nil : bytes.piece(valueStart, value)
        self.headers = bytes.piece(headers, bytes.count - headers)
    }

    private static func ordered(_ number: Int64) -> Int64 { number ^ .min }

    private static func length(_ bytes: Bytes, _ offset: Int) -> Int {
        Int(bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    }
}
