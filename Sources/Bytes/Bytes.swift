/// Borrowed bytes: a record's key or value, or a part of one.
@usableFromInline package typealias Bytes = UnsafeRawBufferPointer

/// A position in the value being read.
@usableFromInline package typealias Position = UnsafePointer<UInt8>

extension UnsafeRawBufferPointer {
    /// The bytes in `start..<end`.
    @inlinable @inline(__always)
    package init(from start: Position, to end: Position) {
        self.init(start: start, count: end - start)
    }
}

/// The ASCII characters of JSON's and RFC 3339's grammars. Computed, since another module reaches a stored one by a
/// call.
@usableFromInline package enum ASCII {
    @inlinable package static var space: UInt8 { 0x20 }
    @inlinable package static var quote: UInt8 { 0x22 }
    @inlinable package static var plus: UInt8 { 0x2B }
    @inlinable package static var comma: UInt8 { 0x2C }
    @inlinable package static var minus: UInt8 { 0x2D }
    @inlinable package static var point: UInt8 { 0x2E }
    @inlinable package static var slash: UInt8 { 0x2F }
    @inlinable package static var zero: UInt8 { 0x30 }
    @inlinable package static var nine: UInt8 { 0x39 }
    @inlinable package static var colon: UInt8 { 0x3A }
    @inlinable package static var openBracket: UInt8 { 0x5B }
    @inlinable package static var backslash: UInt8 { 0x5C }
    @inlinable package static var closeBracket: UInt8 { 0x5D }
    @inlinable package static var openBrace: UInt8 { 0x7B }
    @inlinable package static var closeBrace: UInt8 { 0x7D }
    /// Setting this bit turns an uppercase letter into its lowercase form.
    @inlinable package static var lowercaseBit: UInt8 { 0x20 }

    @inlinable @inline(__always)
    /// A character of ASCII by its literal: `letter("e")`. Other scalars lose their high bits.
    package static func letter(_ scalar: Unicode.Scalar) -> UInt8 { UInt8(truncatingIfNeeded: scalar.value) }

    @inlinable @inline(__always)
    /// Whether the byte is one of `0` to `9`.
    package static func isDigit(_ byte: UInt8) -> Bool { byte &- zero <= 9 }
}
