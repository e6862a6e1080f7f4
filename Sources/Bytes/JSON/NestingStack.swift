/// The kind of container open at each level of nesting: one bit each, set for an object, clear for an array.
///
/// It starts with the contract's limit of 512 levels, so valid records never grow it. It grows past the limit because a
/// document that is too deep must still be read to its end: broken JSON is reported first. Lives in memory that a
/// `RecordReader` owns; used only on that reader's thread.
@usableFromInline package struct NestingStack {
    /// The most arrays and objects that may be open at once.
    @inlinable package static var deepestAllowed: Int { 512 }

    @usableFromInline var words: UnsafeMutablePointer<UInt64>
    @usableFromInline var capacity: Int

    /// Set once more than `deepestAllowed` containers were open.
    @usableFromInline package var isTooDeep = false

    /// Allocates for the contract's depth.
    package init() {
        words = .allocate(capacity: Self.deepestAllowed / 64)
        capacity = Self.deepestAllowed
    }

    /// Call once, in the owner's `deinit`; the stack must not be used afterwards.
    package func deallocate() { words.deallocate() }

    /// Records the container that brings the document's open containers to `depth`. `level` counts from 0 at the start
    /// of the walk that uses the stack, so it is below `depth`.
    @inlinable @inline(__always)
    package mutating func open(isObject: Bool, level: Int, depth: Int) {
        if depth > Self.deepestAllowed { isTooDeep = true }
        if level >= capacity { grow() }
        let bit: UInt64 = 1 << UInt64(truncatingIfNeeded: level & 63)
        let word = words + (level >> 6)
        word.pointee = isObject ? word.pointee | bit : word.pointee & ~bit
    }

    @inlinable @inline(__always)
    /// - Parameter level: of a container that is open.
    package func isObject(level: Int) -> Bool {
        words[level >> 6] & (1 << UInt64(truncatingIfNeeded: level & 63)) != 0
    }

    /// Call after a document has been judged; frees the memory that a too deep one took.
    @inlinable @inline(__always)
    package mutating func reset() {
        if isTooDeep { shrink() }
    }

    @usableFromInline @inline(never)
    mutating func grow() {
        let grown = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity / 64 * 2)
        grown.update(from: words, count: capacity / 64)
        words.deallocate()
        words = grown
        capacity *= 2
    }

    @usableFromInline @inline(never)
    mutating func shrink() {
        isTooDeep = false
        guard capacity > Self.deepestAllowed else { return }
        words.deallocate()
        self = NestingStack()
    }
}
