import Bytes
import KafkaClient

/// A record in a ``RecordSorter``, which owns its bytes.
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
    /// In ``HeaderBytes``'s form; empty without headers.
    var headers: Bytes

    var timestamp: Int64? { time < 0 ? nil : time }
}

/// Headers as bytes for a sorter: for each the name's length, the name, the value's length (-1: null), the value.
/// Lengths are 32-bit integers.
enum HeaderBytes {
    static func encode(_ headers: [RecordHeader]) -> [UInt8] {
        var bytes: [UInt8] = []
        for header in headers {
            let name = Array(header.name.utf8)
            append(Int32(clamping: name.count), to: &bytes)
            bytes += name
            append(header.value.map { Int32(clamping: $0.count) } ?? -1, to: &bytes)
            bytes += header.value ?? []
        }
        return bytes
    }

    static func decode(_ bytes: Bytes) -> [RecordHeader] {
        var headers: [RecordHeader] = []
        var position = 0
        func length() -> Int? {
            guard position + 4 <= bytes.count else { return nil }
            defer { position += 4 }
            return Int(bytes.loadUnaligned(fromByteOffset: position, as: Int32.self))
        }
        func take(_ count: Int) -> Bytes? {
            guard count >= 0, position + count <= bytes.count else { return nil }
            defer { position += count }
            return Bytes(rebasing: bytes[position..<position + count])
        }
        while position < bytes.count {
            guard let nameLength = length(), let name = take(nameLength), let valueLength = length() else { break }
            let value = valueLength < 0 ? nil : take(valueLength).map(Array.init)
            headers.append(RecordHeader(name: String(decoding: name, as: UTF8.self), value: value))
        }
        return headers
    }

    private static func append(_ number: Int32, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number) { bytes += $0 }
    }
}
