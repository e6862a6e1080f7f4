import Bytes

/// A growing array of trivial values in memory that its owner frees: without reference counting or bounds checks.
struct GrowingBuffer<Element> {
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 64) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    /// Call once, in the owner's `deinit`; the buffer must not be used afterwards.
    func free() { base.deallocate() }

    @inline(__always)
    subscript(index: Int) -> Element { base[index] }

    /// Valid until the buffer grows.
    var elements: UnsafeMutableBufferPointer<Element> { UnsafeMutableBufferPointer(start: base, count: count) }

    /// All of the memory, including the unused part.
    var room: UnsafeMutableBufferPointer<Element> { UnsafeMutableBufferPointer(start: base, count: capacity) }

    @inline(__always)
    mutating func append(_ element: Element) {
        reserve(1)
        (base + count).initialize(to: element)
        count += 1
    }

    mutating func removeAll() { count = 0 }

    /// The buffer must hold at least that many.
    mutating func removeLast(_ elements: Int) { count -= elements }

    /// Empties the buffer, and frees memory if the capacity exceeds twice `elements`.
    mutating func removeAll(keepingRoomFor elements: Int) {
        count = 0
        guard capacity / 2 > elements else { return }
        base.deallocate()
        self = GrowingBuffer(capacity: max(1, elements))
    }

    @inline(__always)
    mutating func reserve(_ additional: Int) {
        if capacity - count < additional { grow(additional) }
    }

    private mutating func grow(_ additional: Int) {
        let larger = max(capacity * 2, count + additional)
        let target = UnsafeMutablePointer<Element>.allocate(capacity: larger)
        target.moveInitialize(from: base, count: count)
        base.deallocate()
        base = target
        capacity = larger
    }
}

extension GrowingBuffer where Element == UInt8 {
    @inline(__always)
    mutating func append(contentsOf bytes: Bytes) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        UnsafeMutableRawPointer(base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    @inline(__always)
    mutating func append<Number: FixedWidthInteger>(number: Number) {
        reserve(MemoryLayout<Number>.size)
        UnsafeMutableRawPointer(base + count).storeBytes(of: number, as: Number.self)
        count += MemoryLayout<Number>.size
    }

    @inline(__always)
    mutating func append<Value: BitwiseCopyable>(bytesOf value: Value) {
        reserve(MemoryLayout<Value>.size)
        UnsafeMutableRawPointer(base + count).storeBytes(of: value, as: Value.self)
        count += MemoryLayout<Value>.size
    }

    /// Opens a gap of `length` undefined bytes at `offset`, moving the bytes after it up.
    mutating func openGap(at offset: Int, _ length: Int) {
        reserve(length)
        UnsafeMutableRawPointer(base + offset + length).copyMemory(from: base + offset, byteCount: count - offset)
        count += length
    }

    @inline(__always)
    func bytes(at offset: Int, count: Int) -> Bytes {
        Bytes(start: base + offset, count: count)
    }

    var bytes: Bytes { Bytes(start: base, count: count) }
    var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: base, count: count) }
}

extension GrowingBuffer where Element == UInt32 {
    mutating func fillWithIndices(_ total: Int) {
        removeAll()
        reserve(total)
        for index in 0..<total { append(UInt32(truncatingIfNeeded: index)) }
    }
}
