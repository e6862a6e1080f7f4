/// Writes JSON to a buffer, in the order of the calls: objects member by member, and values that are JSON already.
///
/// The only writer of JSON strings. The hot path of enrichment has none to write: it joins values that were checked.
@usableFromInline package struct JSONWriter: ~Copyable {
    @usableFromInline var buffer: GrowingBuffer<UInt8>
    private let escapes: JSONEscapes
    /// Whether the next member is its object's first.
    private var isFirst = true

    /// - Parameters:
    ///   - escapes: the form of strings.
    ///   - capacity: bytes to have room for at first.
    package init(_ escapes: JSONEscapes = [], capacity: Int = 256) {
        self.escapes = escapes
        buffer = GrowingBuffer(capacity: max(1, capacity))
    }

    deinit { buffer.free() }

    /// Bytes written so far.
    package var count: Int { buffer.count }

    /// The JSON so far, valid until the next call.
    package var bytes: Bytes { buffer.bytes }

    /// A copy of the JSON so far.
    package var array: [UInt8] { Array(buffer.bytes) }

    /// A copy of the JSON so far, as text.
    package var text: String { String(decoding: buffer.bytes, as: UTF8.self) }

    /// Removes the JSON, and frees memory of more than twice `bytes`.
    package mutating func removeAll(keepingRoomFor bytes: Int = .max) { buffer.removeAll(keepingRoomFor: bytes) }

    /// Removes the bytes after `length`.
    package mutating func cut(to length: Int) { buffer.removeLast(buffer.count - length) }

    // MARK: - Values

    @inlinable @inline(__always)
    /// Writes JSON as it is: the caller vouches for its syntax.
    package mutating func raw(_ json: StaticString) {
        buffer.append(contentsOf: Bytes(start: json.utf8Start, count: json.utf8CodeUnitCount))
    }

    /// Copies JSON as it is; the caller has checked it.
    package mutating func raw(_ json: Bytes) { buffer.append(contentsOf: json) }

    /// Copies JSON as it is; the caller has checked it.
    package mutating func raw(_ json: [UInt8]) { json.withUnsafeBytes { buffer.append(contentsOf: $0) } }

    /// Copies JSON as it is; the caller has checked it.
    package mutating func raw(json: String) {
        var json = json
        json.withUTF8 { buffer.append(contentsOf: Bytes($0)) }
    }

    /// Lets `write` write `count` bytes of JSON.
    package mutating func raw(_ count: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Void) {
        buffer.reserve(count)
        write(buffer.base + buffer.used)
        buffer.used += count
    }

    /// A whole number in decimal digits.
    package mutating func number(_ number: some BinaryInteger) { raw(json: number.description) }

    /// The same without allocating.
    package mutating func number(_ number: Int64) {
        buffer.reserve(41)
        if number < 0 { buffer.append(ASCII.minus) }
        // From the last digit to the first, behind the longest number, then moved to its place.
        let start = buffer.base + buffer.used
        let end = start + 40
        var first = end
        var digits = number.magnitude
        repeat {
            first -= 1
            first.pointee = ASCII.zero + UInt8(truncatingIfNeeded: digits % 10)
            digits /= 10
        } while digits > 0
        start.update(from: first, count: end - first)
        buffer.used += end - first
    }

    /// A string of text, which is always valid Unicode.
    package mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { _ = string(Bytes($0)) }
    }

    /// A string of bytes.
    /// - Returns: false when the bytes are not UTF-8 and the escapes refuse that; nothing is written then.
    @discardableResult
    package mutating func string(_ text: Bytes) -> Bool {
        let before = buffer.count
        buffer.append(ASCII.quote)
        if var here = text.baseAddress?.assumingMemoryBound(to: UInt8.self) {
            let end = here + text.count
            while here < end {
                // Most texts need few escapes.
                buffer.reserve(end - here + 16)
                guard
                    let out = JSONText.escape(
                        &here, end, to: buffer.base + buffer.used, limit: buffer.base + buffer.capacity, escapes)
                else {
                    cut(to: before)
                    return false
                }
                buffer.used = out - buffer.base
            }
        }
        buffer.append(ASCII.quote)
        return true
    }

    // MARK: - Objects

    /// Opens an object; members and ``end()`` must follow.
    package mutating func begin() {
        raw("{")
        isFirst = true
    }

    /// Closes the object that was opened last.
    package mutating func end() {
        raw("}")
        isFirst = false
    }

    /// A member's name; its value must follow.
    package mutating func name(_ name: String) {
        separate()
        string(name)
        raw(":")
    }

    /// A member's name as ``member(_:)`` has made it; its value must follow.
    package mutating func name(_ member: [UInt8]) {
        separate()
        raw(member)
    }

    private mutating func separate() {
        if !isFirst { raw(",") }
        isFirst = false
    }

    /// A member's name in quotes with the colon.
    package static func member(_ name: String) -> [UInt8] {
        var writer = JSONWriter(capacity: name.utf8.count + 3)
        writer.string(name)
        writer.raw(":")
        return writer.array
    }
}
