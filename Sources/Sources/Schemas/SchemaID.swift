import Bytes

/// The id of a record's schema: the number that the registry gave it, or its GUID, the same in all registries.
package enum SchemaID: Hashable, Sendable, CustomStringConvertible {
    case number(UInt32)
    case guid(high: UInt64, low: UInt64)

    /// `7`, or `89791762-2336-186f-9674-299b90a802e2`: as in the registry's paths.
    package var text: String {
        switch self {
        case .number(let number): return String(number)
        case .guid(let high, let low):
            let digits = [high, low].map { half in
                let digits = String(half, radix: 16)
                return String(repeating: "0", count: 16 - digits.utf8.count) + digits
            }.joined()
            return Self.hyphenated(digits)
        }
    }

    /// For sentences: `schema id 7`.
    package var description: String {
        switch self {
        case .number: "schema id \(text)"
        case .guid: "schema GUID \(text)"
        }
    }

    /// 32 hexadecimal digits in a UUID's groups.
    static func hyphenated(_ digits: String) -> String {
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }
}

/// The headers in which a record may carry the ids of its schemas.
package struct SchemaHeaders: Sendable {
    /// The header of the key's schema, as Confluent's serializers name it.
    package static let keyName: StaticString = "__key_schema_id"
    /// The header of the value's schema.
    package static let valueName: StaticString = "__value_schema_id"

    /// The header's bytes; nil: the record has none.
    package var key: [UInt8]?
    /// The header's bytes; nil: the record has none.
    package var value: [UInt8]?

    /// - Parameter key: the header's bytes, the leading 0 or 1 included.
    package init(key: [UInt8]? = nil, value: [UInt8]? = nil) {
        self.key = key
        self.value = value
    }

    /// Of a record whose frames stand before its key and value.
    package static let none = SchemaHeaders()

    /// Takes a header over, if it is one of the two.
    package mutating func note(name: Bytes, value: Bytes?) {
        if name.elementsEqual(UnsafeBufferPointer(start: Self.keyName.utf8Start, count: Self.keyName.utf8CodeUnitCount))
        {
            key = value.map(Array.init)
        } else if name.elementsEqual(
            UnsafeBufferPointer(start: Self.valueName.utf8Start, count: Self.valueName.utf8CodeUnitCount))
        {
            self.value = value.map(Array.init)
        }
    }
}

/// The frame that Confluent's serializers give a key or value. Before the bytes: the byte 0 and the schema's id, 4
/// bytes, big endian. Or in a header: the same, or the byte 1 and the schema's GUID, 16 bytes.
struct SchemaFrame {
    let id: SchemaID
    let payload: Bytes

    /// - Returns: nil: there is no frame.
    init?(_ bytes: Bytes, header: [UInt8]?) {
        if let header {
            guard let (id, length) = header.withUnsafeBytes(Self.id), length == header.count else { return nil }
            self.id = id
            payload = bytes
        } else {
            guard let (id, length) = Self.id(bytes), case .number = id else { return nil }
            self.id = id
            payload = Bytes(rebasing: bytes[length...])
        }
    }

    private static func id(_ bytes: Bytes) -> (SchemaID, length: Int)? {
        switch bytes.first {
        case 0 where bytes.count >= 5:
            let number = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
            return (.number(number), 5)
        case 1 where bytes.count >= 17:
            return (
                .guid(
                    high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt64.self)),
                    low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 9, as: UInt64.self))), 17
            )
        default: return nil
        }
    }
}
