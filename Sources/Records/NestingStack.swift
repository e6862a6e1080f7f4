/// Which kind of container is open at each level of nesting: one bit each, set for an object, clear for an array.
///
/// It starts with room for the 512 levels that the contract allows, so a record that passes never makes it grow. It
/// goes on past them because a document that is too deep must still be read to its end: broken JSON is reported first.
/// Lives in memory that a `RecordReader` owns; used by that reader's thread alone.
struct NestingStack {
    /// The most arrays and objects that may be open at once.
    static let deepestAllowed = 512

    private var words: UnsafeMutablePointer<UInt64>
    private var capacity: Int

    /// Set once more than `deepestAllowed` containers were open.
    private(set) var isTooDeep = false

    init() {
        words = .allocate(capacity: Self.deepestAllowed / 64)
        capacity = Self.deepestAllowed
    }

    func deallocate() { words.deallocate() }

    /// Notes the container that makes `depth` open ones in the document. `level` counts from 0 where the walk that uses
    /// the stack began, so it is below `depth`.
    @inline(__always)
    mutating func open(isObject: Bool, level: Int, depth: Int) {
        if depth > Self.deepestAllowed { isTooDeep = true }
        if level >= capacity { grow() }
        let bit: UInt64 = 1 << UInt64(truncatingIfNeeded: level & 63)
        let word = words + (level >> 6)
        word.pointee = isObject ? word.pointee | bit : word.pointee & ~bit
    }

    @inline(__always)
    func isObject(level: Int) -> Bool {
        words[level >> 6] & (1 << UInt64(truncatingIfNeeded: level & 63)) != 0
    }

    /// To be called when a document has been judged; gives back what a too deep one made it take.
    @inline(__always)
    mutating func reset() {
        if isTooDeep { shrink() }
    }

    @inline(never)
    private mutating func grow() {
        let grown = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity / 64 * 2)
        grown.update(from: words, count: capacity / 64)
        words.deallocate()
        words = grown
        capacity *= 2
    }

    @inline(never)
    private mutating func shrink() {
        isTooDeep = false
        guard capacity > Self.deepestAllowed else { return }
        words.deallocate()
        self = NestingStack()
    }
}
