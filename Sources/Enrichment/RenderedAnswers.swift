import AnswerStore
import Bytes
import CPrefetch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A cache of rendered tails, the bytes after a question (`,"answers":[...],"answerCount":N}`). A recurring question
/// has the same tail, independent of its event, until one of its answers or votes changes.
///
/// A ring: the oldest entry is overwritten first. An entry is found by its question's hash, confirmed by the id itself,
/// and valid only while the store reports the same version of the question. A question's tail is kept from its second
/// event on, so that questions seen once cost no copy. One per lane, not Sendable; the memory is allocated at once and
/// becomes resident as it fills.
final class RenderedAnswers {
    private struct Slot {
        /// 0: free.
        var hash: UInt64
        /// Where the entry begins, counted from the first byte ever kept; `onlySeen`: the question was seen but not
        /// kept.
        var place: UInt64
    }

    private struct Header {
        var version: QuestionVersion
        var idLength: UInt32
        var tailLength: UInt32
        var attached: UInt32
    }

    /// The bytes after a question, and the number of answers in them.
    struct Tail {
        var bytes: Bytes
        var attached: Int
    }

    private static let onlySeen = UInt64.max
    private static let headerLength = MemoryLayout<Header>.stride
    /// The size of a huge page on x86-64, 2 MiB: one TLB entry covers it.
    private static let largePage = 2 << 20

    private static let cacheLine = 64
    /// The part of an entry to prefetch: three answers of usual length.
    private static let fetchedBytes = 1536

    private let capacity: Int
    private let memory: UnsafeMutableRawPointer
    private let slots: UnsafeMutablePointer<Slot>
    private let mask: UInt64
    /// Bytes ever kept, including the gaps left at the ring's end.
    private var end: UInt64 = 0

    /// - Parameter byteCount: the ring's capacity; the slots take up to a tenth more. Below 64 KiB nothing is kept.
    init(byteCount: Int) {
        capacity = byteCount < 1 << 16 ? 0 : byteCount & ~7
        var slotCount = 1
        // Entries are seldom as short as this, so there are several slots for each entry.
        while slotCount < capacity / 384 { slotCount *= 2 }
        mask = UInt64(slotCount - 1)
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: Slot(hash: 0, place: Self.onlySeen), count: slotCount)
        memory = .allocate(byteCount: max(capacity, 8), alignment: capacity < Self.largePage ? 16 : Self.largePage)
        #if os(Linux)
            // Entries lie far apart: without huge pages each one costs a page-table walk. Only advice, so failure is
            // ignored.
            if capacity >= Self.largePage { madvise(memory, capacity, MADV_HUGEPAGE) }
        #endif
    }

    deinit {
        slots.deallocate()
        memory.deallocate()
    }

    /// Prefetches the slot of a question that comes soon.
    @inline(__always)
    func expect(_ hash: UInt64) { prefetch(slots + Int(hash & mask)) }

    /// Whether an entry of the question exists, of any version.
    @inline(__always)
    func mayHold(_ hash: UInt64) -> Bool {
        let slot = slots[Int(hash & mask)]
        return slot.hash == hash && isKept(slot.place)
    }

    /// Prefetches the entry of a question that comes very soon. Entries lie far apart, so most are in no cache, and
    /// waiting for one takes longer than copying it.
    @inline(__always)
    func fetch(_ hash: UInt64) {
        let slot = slots[Int(hash & mask)]
        guard slot.hash == hash, isKept(slot.place) else { return }
        let entry = memory + Int(slot.place % UInt64(capacity))
        var offset = 0
        // The entry's length is not cached yet. Beyond `fetchedBytes` the hardware prefetcher sees the pattern and
        // takes over.
        while offset < Self.fetchedBytes {
            prefetch(entry + offset)
            offset &+= Self.cacheLine
        }
    }

    /// The question's tail at this version; valid until the next `keep`.
    @inline(__always)
    func find(_ question: Bytes, hash: UInt64, version: QuestionVersion) -> Tail? {
        let slot = slots[Int(hash & mask)]
        guard slot.hash == hash, isKept(slot.place) else { return nil }
        let entry = memory + Int(slot.place % UInt64(capacity))
        let header = entry.load(as: Header.self)
        guard header.version == version, Int(header.idLength) == question.count, let id = question.baseAddress,
            memcmp(entry + Self.headerLength, id, question.count) == 0
        else { return nil }
        return Tail(
            bytes: Bytes(start: entry + Self.headerLength + question.count, count: Int(header.tailLength)),
            attached: Int(header.attached))
    }

    /// Keeps a tail if the question was seen before and the tail is not too large for the ring.
    func keep(_ tail: Tail, of question: Bytes, hash: UInt64, version: QuestionVersion) {
        let length = (Self.headerLength + question.count + tail.bytes.count + 7) & ~7
        guard length <= capacity / 16, let id = question.baseAddress, let bytes = tail.bytes.baseAddress else { return }
        let index = Int(hash & mask)
        let slot = slots[index]
        guard slot.hash == hash else {
            // A valid entry of another question keeps the slot until the ring overwrites it.
            if !isKept(slot.place) { slots[index] = Slot(hash: hash, place: Self.onlySeen) }
            return
        }
        var offset = Int(end % UInt64(capacity))
        if offset + length > capacity {
            end += UInt64(capacity - offset)
            offset = 0
        }
        let entry = memory + offset
        entry.storeBytes(
            of: Header(
                version: version, idLength: UInt32(question.count), tailLength: UInt32(tail.bytes.count),
                attached: UInt32(tail.attached)), as: Header.self)
        (entry + Self.headerLength).copyMemory(from: id, byteCount: question.count)
        (entry + Self.headerLength + question.count).copyMemory(from: bytes, byteCount: tail.bytes.count)
        slots[index].place = end
        end += UInt64(length)
    }

    /// Whether the entry at `place` is still whole, its first byte included.
    @inline(__always)
    private func isKept(_ place: UInt64) -> Bool { place != Self.onlySeen && end &- place <= UInt64(capacity) }
}
