/// An item of an ``ExternalSorter``. Its bytes belong to the sorter.
package struct SortItem {
    /// The beginning of `contents`, by which the items are sorted.
    package let key: Bytes
    /// The whole item, its key included.
    package let contents: Bytes
    /// For the sorter's caller.
    package let tag: UInt32
}

/// An item's layout in memory and in the temporary file: a head, then the contents, padded to a multiple of 8. Numbers
/// are in native byte order: only this process reads them.
enum SortFrame {
    private struct Head {
        /// The whole frame's size in bytes.
        var size: UInt32
        /// The checksum of the bytes after this field; set when the frame goes to the file.
        var checksum: UInt32 = 0
        var tag: UInt32
        var keyCount: UInt16
        /// The number of zero bytes at the frame's end.
        var padding: UInt16
    }

    static let head = MemoryLayout<Head>.size
    private static let firstChecked = 8

    static func size(ofContents count: Int) -> Int { (head + count + 7) & ~7 }

    /// The frame's size, read from its head.
    static func size(at frame: UnsafeRawPointer) -> Int { Int(frame.loadUnaligned(as: UInt32.self)) }

    /// The size of head and key, read from the head.
    static func keyEnd(at frame: UnsafeRawPointer) -> Int { head + Int(frame.loadUnaligned(as: Head.self).keyCount) }

    static func key(at frame: UnsafeRawPointer) -> Bytes {
        Bytes(start: frame + head, count: keyEnd(at: frame) - head)
    }

    /// Adds a frame whose contents the caller writes.
    /// - Returns: the memory for the contents, valid until the buffer grows.
    static func append(
        keyCount: Int, contents count: Int, tag: UInt32, to buffer: inout GrowingBuffer<UInt8>
    ) -> UnsafeMutableRawBufferPointer {
        let size = size(ofContents: count)
        let padding = size - head - count
        buffer.reserve(size)
        let start = buffer.count
        buffer.append(
            bytesOf: Head(
                size: UInt32(truncatingIfNeeded: size), tag: tag, keyCount: UInt16(truncatingIfNeeded: keyCount),
                padding: UInt16(truncatingIfNeeded: padding)))
        buffer.openGap(at: buffer.count, count)
        for _ in 0..<padding { buffer.append(0) }
        return UnsafeMutableRawBufferPointer(rebasing: buffer.mutableBytes[start + head..<start + head + count])
    }

    /// Sets the checksum.
    static func seal(_ frame: UnsafeMutableRawPointer) {
        frame.storeBytes(of: checksum(of: frame, size(at: frame)), toByteOffset: 4, as: UInt32.self)
    }

    /// Whether a frame of at least a head is as it was sealed.
    static func isIntact(_ frame: Bytes) -> Bool {
        guard let start = frame.baseAddress, frame.count >= head else { return false }
        let head = start.loadUnaligned(as: Head.self)
        return head.checksum == checksum(of: start, frame.count)
            && Self.head + Int(head.keyCount) + Int(head.padding) <= frame.count
    }

    static func item(at frame: UnsafeRawPointer) -> SortItem {
        let head = frame.loadUnaligned(as: Head.self)
        return SortItem(
            key: key(at: frame),
            contents: Bytes(start: frame + Self.head, count: Int(head.size) - Self.head - Int(head.padding)),
            tag: head.tag)
    }

    private static func checksum(of frame: UnsafeRawPointer, _ size: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: Checksum.hash(Bytes(start: frame + firstChecked, count: size - firstChecked)))
    }
}
