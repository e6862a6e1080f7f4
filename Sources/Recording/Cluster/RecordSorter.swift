import AnswerStore
import Bytes
import Worker

/// Sorts any number of records by rank, then offset, in bounded memory. Records beyond its budget go to a temporary
/// file as sorted runs, which are merged while they are read back. Not Sendable.
///
/// A run grows while the next records are not older, so records in order, the usual case, make one run.
final class RecordSorter {
    private struct Entry {
        var rank: Int64
        var offset: Int64
        var position: Int
    }

    /// Frames in the order of arrival.
    private var arena: UnsafeMutableRawPointer
    private var capacity: Int
    private var used = 0
    private var entries: [Entry] = []
    private let budget: Int
    private let path: String
    private var file: SpillFile?
    private var runs: [SortedRun] = []
    private var last: (rank: Int64, offset: Int64)?

    private(set) var count = 0
    /// Whether the records arrived in sorted order.
    private(set) var isInOrder = true
    /// The highest rank; nil without records.
    private(set) var highestRank: Int64?

    /// - Parameters:
    ///   - path: of the temporary file, which is created when needed and removed with the sorter.
    ///   - budget: bytes of records that are held in memory.
    init(path: String, budget: Int) {
        self.path = path
        self.budget = max(1 << 12, budget)
        capacity = 1 << 12
        arena = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit { arena.deallocate() }

    /// Adds a record; its bytes are copied.
    func append(_ record: SortedRecord) throws(WorkerError) {
        let size = Frame.size(of: record)
        if used > 0, used + size > budget { try spill() }
        if used + size > capacity { grow(to: used + size) }
        Frame.write(record, to: arena + used)
        entries.append(Entry(rank: record.rank, offset: record.offset, position: used))
        used += size
        count += 1
        if let last, (record.rank, record.offset) < last { isInOrder = false }
        last = (record.rank, record.offset)
        highestRank = max(highestRank ?? record.rank, record.rank)
    }

    /// All records in order. Call once, after the last record was added.
    func sorted() throws(WorkerError) -> SortedRecords {
        guard let file else {
            sortEntries()
            let positions = entries.map(\.position)
            entries = []
            return SortedRecords(owner: self, arena: UnsafeRawPointer(arena), positions: positions)
        }
        try spill()
        // Frees the records' buffer: the runs have their own.
        capacity = 8
        arena.deallocate()
        arena = .allocate(byteCount: capacity, alignment: 8)
        var readers: [SpillReader] = []
        for (number, run) in runs.enumerated() { readers.append(try SpillReader(file, run, number: number)) }
        return SortedRecords(owner: self, runs: readers)
    }

    private func sortEntries() {
        if !isInOrder { entries.sort { ($0.rank, $0.offset) < ($1.rank, $1.offset) } }
    }

    private func spill() throws(WorkerError) {
        guard let first = entries.first else { return }
        sortEntries()
        let lowest = entries.first ?? first
        let highest = entries.last ?? first
        let extends = runs.last.map { ($0.rank, $0.offset) <= (lowest.rank, lowest.offset) } ?? false
        let (file, start) = try appendEntries()
        if extends, var run = runs.popLast() {
            (run.end, run.rank, run.offset) = (file.size, highest.rank, highest.offset)
            runs.append(run)
        } else {
            runs.append(SortedRun(start: start, end: file.size, rank: highest.rank, offset: highest.offset))
        }
        entries.removeAll(keepingCapacity: true)
        used = 0
    }

    /// - Returns: the file, and the entries' start in it.
    private func appendEntries() throws(WorkerError) -> (file: SpillFile, start: Int) {
        do throws(SystemFailure) {
            let file = if let file { file } else { try SpillFile(path: path) }
            self.file = file
            let start = file.size
            for entry in entries {
                let frame = UnsafeRawPointer(arena + entry.position)
                try file.append(Bytes(start: frame, count: Frame.size(at: frame)))
            }
            try file.flush()
            return (file, start)
        } catch {
            throw error.ofTemporaryFile("writing to", path)
        }
    }

    private func grow(to needed: Int) {
        let larger = max(needed, min(capacity * 2, max(budget, needed)))
        let memory = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        memory.copyMemory(from: arena, byteCount: used)
        arena.deallocate()
        (arena, capacity) = (memory, larger)
    }
}

/// A record's layout in a sorter's memory and file: a head of 48 bytes (rank, offset, time, tag, three lengths), then
/// key, value and headers, padded to a multiple of 8.
enum Frame {
    static let head = 48

    static func size(of record: SortedRecord) -> Int {
        padded(head + (record.key?.count ?? 0) + (record.value?.count ?? 0) + record.headers.count)
    }

    /// The whole frame's size, from its head.
    static func size(at frame: UnsafeRawPointer) -> Int {
        padded(
            head + max(0, length(frame, 32)) + max(0, length(frame, 36)) + length(frame, 40))
    }

    static func write(_ record: SortedRecord, to frame: UnsafeMutableRawPointer) {
        frame.storeBytes(of: record.rank, as: Int64.self)
        frame.storeBytes(of: record.offset, toByteOffset: 8, as: Int64.self)
        frame.storeBytes(of: record.time, toByteOffset: 16, as: Int64.self)
        frame.storeBytes(of: UInt64(record.tag), toByteOffset: 24, as: UInt64.self)
        frame.storeBytes(of: record.key.map { Int32($0.count) } ?? -1, toByteOffset: 32, as: Int32.self)
        frame.storeBytes(of: record.value.map { Int32($0.count) } ?? -1, toByteOffset: 36, as: Int32.self)
        frame.storeBytes(of: Int64(record.headers.count), toByteOffset: 40, as: Int64.self)
        var position = frame + head
        for part in [record.key, record.value, record.headers] {
            guard let part, let start = part.baseAddress else { continue }
            position.copyMemory(from: start, byteCount: part.count)
            position += part.count
        }
    }

    static func read(_ frame: UnsafeRawPointer) -> SortedRecord {
        let (key, value) = (length(frame, 32), length(frame, 36))
        let start = frame + head
        let valueStart = start + max(0, key)
        return SortedRecord(
            rank: frame.load(as: Int64.self), offset: frame.load(fromByteOffset: 8, as: Int64.self),
            time: frame.load(fromByteOffset: 16, as: Int64.self),
            tag: UInt8(truncatingIfNeeded: frame.load(fromByteOffset: 24, as: UInt64.self)),
            key: key < 0 ? nil : Bytes(start: start, count: key),
            value: value < 0 ? nil : Bytes(start: valueStart, count: value),
            headers: Bytes(start: valueStart + max(0, value), count: length(frame, 40)))
    }

    private static func length(_ frame: UnsafeRawPointer, _ offset: Int) -> Int {
        Int(frame.load(fromByteOffset: offset, as: Int32.self))
    }

    private static func padded(_ size: Int) -> Int { (size + 7) & ~7 }
}
