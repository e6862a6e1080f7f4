/// A growing array of trivial values in memory that its owner frees: without reference counting or bounds checks.
@usableFromInline package struct GrowingBuffer<Element> {
    @usableFromInline var base: UnsafeMutablePointer<Element>
    @usableFromInline var capacity: Int
    @usableFromInline var used = 0

    /// The number of elements.
    @inlinable package var count: Int { used }

    /// - Parameter capacity: elements to have room for at first.
    @inlinable
    package init(capacity: Int = 64) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    /// Call once, in the owner's `deinit`; the buffer must not be used afterwards.
    @inlinable
    package func free() { base.deallocate() }

    @inlinable @inline(__always)
    /// Not checked: `index` must be below ``count``.
    package subscript(index: Int) -> Element { base[index] }

    /// The first element's address, valid until the buffer grows.
    @inlinable package var address: UnsafeMutablePointer<Element> { base }

    /// Valid until the buffer grows.
    @inlinable
    package var elements: UnsafeMutableBufferPointer<Element> { UnsafeMutableBufferPointer(start: base, count: count) }

    /// All of the memory, including the unused part.
    @inlinable
    package var room: UnsafeMutableBufferPointer<Element> { UnsafeMutableBufferPointer(start: base, count: capacity) }

    @inlinable @inline(__always)
    /// Allocates only when the capacity is used up; it then doubles.
    package mutating func append(_ element: Element) {
        reserve(1)
        (base + count).initialize(to: element)
        used += 1
    }

    /// Keeps the memory.
    @inlinable
    package mutating func removeAll() { used = 0 }

    /// The buffer must hold at least that many.
    @inlinable
    package mutating func removeLast(_ elements: Int) { used -= elements }

    /// Empties the buffer, and frees memory if the capacity exceeds twice `elements`.
    @inlinable
    package mutating func removeAll(keepingRoomFor elements: Int) {
        used = 0
        guard capacity / 2 > elements else { return }
        base.deallocate()
        self = GrowingBuffer(capacity: max(1, elements))
    }

    /// Replaces all elements by `total` new ones, each made from its index.
    @inlinable @inline(__always)
    package mutating func fill(_ total: Int, _ element: (Int) -> Element) {
        used = 0
        reserve(total)
        for index in 0..<total { (base + index).initialize(to: element(index)) }
        used = total
    }

    @inlinable @inline(__always)
    /// Makes room for so many further elements. Addresses of earlier ones may change.
    package mutating func reserve(_ additional: Int) {
        if capacity - count < additional { grow(additional) }
    }

    // Rare, and large beside the appends: inlined into them, it would keep them from being inlined in turn.
    @inlinable @inline(never)
    mutating func grow(_ additional: Int) {
        let larger = max(capacity * 2, count + additional)
        let target = UnsafeMutablePointer<Element>.allocate(capacity: larger)
        target.moveInitialize(from: base, count: count)
        base.deallocate()
        base = target
        capacity = larger
    }
}

extension GrowingBuffer where Element == UInt8 {
    @inlinable @inline(__always)
    /// Copies the bytes to the end; they must not lie in this buffer, which may move.
    package mutating func append(contentsOf bytes: Bytes) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        UnsafeMutableRawPointer(base + count).copyMemory(from: source, byteCount: bytes.count)
        used += bytes.count
    }

    @inlinable @inline(__always)
    /// In native byte order, at any alignment.
    package mutating func append<Number: FixedWidthInteger>(number: Number) {
        reserve(MemoryLayout<Number>.size)
        UnsafeMutableRawPointer(base + count).storeBytes(of: number, as: Number.self)
        used += MemoryLayout<Number>.size
    }

    @inlinable @inline(__always)
    /// The value's bytes in memory, at any alignment.
    package mutating func append<Value: BitwiseCopyable>(bytesOf value: Value) {
        reserve(MemoryLayout<Value>.size)
        UnsafeMutableRawPointer(base + count).storeBytes(of: value, as: Value.self)
        used += MemoryLayout<Value>.size
    }

    /// Opens a gap of `length` undefined bytes at `offset`, moving the bytes after it up.
    @inlinable
    package mutating func openGap(at offset: Int, _ length: Int) {
        reserve(length)
        UnsafeMutableRawPointer(base + offset + length).copyMemory(from: base + offset, byteCount: count - offset)
        used += length
    }

    @inlinable @inline(__always)
    /// Not checked, and valid until the buffer grows.
    package func bytes(at offset: Int, count: Int) -> Bytes {
        Bytes(start: base + offset, count: count)
    }

    /// Valid until the buffer grows.
    @inlinable
    package var bytes: Bytes { Bytes(start: base, count: count) }
    /// Valid until the buffer grows.
    @inlinable
    package var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: base, count: count) }
}

extension GrowingBuffer where Element == UInt32 {
    /// Replaces all elements by `0..<total`.
    @inlinable
    package mutating func fillWithIndices(_ total: Int) {
        fill(total) { UInt32(truncatingIfNeeded: $0) }
    }
}
