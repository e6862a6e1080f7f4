/// A record's headers packed into bytes for storage: for each header the two lengths, then name and value. Empty for a
/// record without headers.
package struct PackedHeaders {
    private static let null = UInt32.max

    /// Borrowed: the caller keeps them.
    package let bytes: UnsafeRawBufferPointer

    /// - Parameter bytes: the result of `pack`; must stay valid as long as this value is used.
    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Packs a message's headers.
    package static func pack(_ message: ConsumedMessage) -> [UInt8] {
        var packed: [UInt8] = []
        guard message.hasHeaders else { return packed }
        message.forEachHeader { name, value in append(name, value, to: &packed) }
        return packed
    }

    /// Packs headers that are in memory.
    package static func pack(_ headers: [RecordHeader]) -> [UInt8] {
        var packed: [UInt8] = []
        for header in headers {
            var name = header.name
            name.withUTF8 { name in
                if let value = header.value {
                    value.withUnsafeBytes { append(UnsafeRawBufferPointer(name), $0, to: &packed) }
                } else {
                    append(UnsafeRawBufferPointer(name), nil, to: &packed)
                }
            }
        }
        return packed
    }

    private static func append(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?, to packed: inout [UInt8]
    ) {
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: name.count)) { packed.append(contentsOf: $0) }
        withUnsafeBytes(of: value.map { UInt32(truncatingIfNeeded: $0.count) } ?? null) {
            packed.append(contentsOf: $0)
        }
        packed.append(contentsOf: name)
        if let value { packed.append(contentsOf: value) }
    }

    /// Calls `body` for each header in order. A nil value is Kafka's null. Stops at malformed bytes.
    package func eachHeader(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) -> Void) {
        var place = 0
        while bytes.count - place >= 8 {
            let name = Int(bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
            let length = bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self)
            let value = length == Self.null ? 0 : Int(length)
            place += 8
            guard bytes.count - place >= name + value else { return }
            body(
                UnsafeRawBufferPointer(rebasing: bytes[place..<place + name]),
                length == Self.null
                    ? nil : UnsafeRawBufferPointer(rebasing: bytes[place + name..<place + name + value]))
            place += name + value
        }
    }

    /// Owned copies of the headers, made at each call.
    package var headers: [RecordHeader] {
        var headers: [RecordHeader] = []
        eachHeader { name, value in
            headers.append(RecordHeader(name: String(decoding: name, as: UTF8.self), value: value.map(Array.init)))
        }
        return headers
    }
}
