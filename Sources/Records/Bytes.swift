/// Borrowed bytes: a record's key or value, or a part of one.
package typealias Bytes = UnsafeRawBufferPointer

/// A position in the value being read.
typealias Position = UnsafePointer<UInt8>

extension UnsafeRawBufferPointer {
    /// The bytes in `start..<end`.
    @inline(__always)
    init(from start: Position, to end: Position) {
        self.init(start: start, count: end - start)
    }

    /// Whether both hold the same bytes; their addresses may differ.
    @inline(__always)
    package func holdsSameBytes(as other: Bytes) -> Bool {
        guard count == other.count else { return false }
        var index = 0
        while index &+ 8 <= count {
            let mine = loadUnaligned(fromByteOffset: index, as: UInt64.self)
            guard mine == other.loadUnaligned(fromByteOffset: index, as: UInt64.self) else { return false }
            index &+= 8
        }
        while index < count {
            guard self[index] == other[index] else { return false }
            index &+= 1
        }
        return true
    }
}

/// The ASCII characters of JSON's and RFC 3339's grammars.
enum ASCII {
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let plus: UInt8 = 0x2B
    static let comma: UInt8 = 0x2C
    static let minus: UInt8 = 0x2D
    static let point: UInt8 = 0x2E
    static let slash: UInt8 = 0x2F
    static let zero: UInt8 = 0x30
    static let nine: UInt8 = 0x39
    static let colon: UInt8 = 0x3A
    static let openBracket: UInt8 = 0x5B
    static let backslash: UInt8 = 0x5C
    static let closeBracket: UInt8 = 0x5D
    static let openBrace: UInt8 = 0x7B
    static let closeBrace: UInt8 = 0x7D
    /// Setting this bit turns an uppercase letter into its lowercase form.
    static let lowercaseBit: UInt8 = 0x20

    @inline(__always)
    static func letter(_ scalar: Unicode.Scalar) -> UInt8 { UInt8(truncatingIfNeeded: scalar.value) }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- zero <= 9 }
}
