import AnswerStore
import CPrefetch
import Records

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Keeps what the enricher wrote behind a question (`,"answers":[...],"answerCount":N}`) for when the question comes again: the
/// same bytes follow, whatever the event says, until one of the answers or votes changes.
///
/// A ring: what was kept first is overwritten first. An entry is found by the hash of its question and told from others by the
/// id itself, and it counts only while the store says the same version of the question. A question is kept when it comes for
/// the second time, so that questions that come once cost no copy. One per lane, not Sendable; the memory is taken at once
/// and becomes resident as it is filled.
final class RenderedAnswers {
    private struct Slot {
        /// 0: free.
        var hash: UInt64
        /// Where the entry begins, counted from the first byte ever kept; `onlySeen`: the question came, and was not kept.
        var place: UInt64
    }

    private struct Header {
        var version: QuestionVersion
        var idLength: UInt32
        var tailLength: UInt32
        var attached: UInt32
    }

    /// The bytes that follow a question, and how many answers are in them.
    struct Tail {
        var bytes: Bytes
        var attached: Int
    }

    private static let onlySeen = UInt64.max
    private static let headerLength = MemoryLayout<Header>.stride
    /// A page of memory that the processor finds without walking its tables each time (2 MiB on x86-64).
    private static let largePage = 2 << 20

    private static let cacheLine = 64
    /// Of an entry that is fetched ahead: three answers of a usual length.
    private static let fetchedBytes = 1536

    private let capacity: Int
    private let memory: UnsafeMutableRawPointer
    private let slots: UnsafeMutablePointer<Slot>
    private let mask: UInt64
    /// Bytes ever kept, with what was left empty at the ring's end.
    private var end: UInt64 = 0

    /// - Parameter byteCount: what the ring may hold; beside it, a tenth more for finding. Below 64 KiB nothing is kept.
    init(byteCount: Int) {
        capacity = byteCount < 1 << 16 ? 0 : byteCount & ~7
        var slotCount = 1
        // Rendered answers are seldom shorter: so there are several places for each entry.
        while slotCount < capacity / 384 { slotCount *= 2 }
        mask = UInt64(slotCount - 1)
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: Slot(hash: 0, place: Self.onlySeen), count: slotCount)
        memory = .allocate(byteCount: max(capacity, 8), alignment: capacity < Self.largePage ? 16 : Self.largePage)
        #if os(Linux)
            // Entries lie far apart. Not more than advice: without it every entry costs a walk through the page tables.
            if capacity >= Self.largePage { madvise(memory, capacity, MADV_HUGEPAGE) }
        #endif
    }

    deinit {
        slots.deallocate()
        memory.deallocate()
    }

    /// The question with this hash comes soon: has its slot fetched into the CPU's caches.
    @inline(__always)
    func expect(_ hash: UInt64) { prefetch(slots + Int(hash & mask)) }

    /// Whether something is kept of the question, of whatever version.
    @inline(__always)
    func mayHold(_ hash: UInt64) -> Bool {
        let slot = slots[Int(hash & mask)]
        return slot.hash == hash && isKept(slot.place)
    }

    /// The question comes sooner still: has what is kept of it fetched. Entries lie far apart, so that most are in memory alone,
    /// and waiting for one takes longer than copying it.
    @inline(__always)
    func fetch(_ hash: UInt64) {
        let slot = slots[Int(hash & mask)]
        guard slot.hash == hash, isKept(slot.place) else { return }
        let entry = memory + Int(slot.place % UInt64(capacity))
        var offset = 0
        // How long it is stands in what is not here yet. What is longer goes on by itself: the processor sees the pattern.
        while offset < Self.fetchedBytes {
            prefetch(entry + offset)
            offset &+= Self.cacheLine
        }
    }

    /// What was kept of the question under this version; valid until the next `keep`.
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

    /// Keeps what was rendered, if it is worth it.
    func keep(_ tail: Tail, of question: Bytes, hash: UInt64, version: QuestionVersion) {
        let length = (Self.headerLength + question.count + tail.bytes.count + 7) & ~7
        guard length <= capacity / 16, let id = question.baseAddress, let bytes = tail.bytes.baseAddress else { return }
        let index = Int(hash & mask)
        let slot = slots[index]
        guard slot.hash == hash else {
            // Another question's that is still there keeps its place, until the ring comes round.
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

    /// Whether the entry that began there has not been overwritten since, not even its beginning.
    @inline(__always)
    private func isKept(_ place: UInt64) -> Bool { place != Self.onlySeen && end &- place <= UInt64(capacity) }
}
