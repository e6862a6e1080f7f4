import Bytes
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The roots of the last commit's trees in LMDB's map, for interleaved searches (`PageWalk`), which LMDB's own API does
/// not offer.
///
/// Valid until the next commit, and until the map grows or is closed. Until then LMDB changes no page of that commit,
/// because a write transaction reuses only pages freed by transactions before the last one (mdb_page_alloc).
struct MappedTrees {
    struct Root {
        var page: UInt64
        /// The number of pages from the root to a row, both included.
        var depth: Int
    }

    /// Unique within the process: tells whether a page found earlier is still valid.
    let id = lastID.add(1, ordering: .relaxed).newValue
    let base: UnsafeRawPointer
    let pageSize: Int
    let lastPage: UInt64
    let answers: Root
    let tallies: Root

    private static let lastID = Atomic<UInt64>(0)

    /// Nil for a page beyond the file's end.
    @inline(__always)
    func page(_ number: UInt64) -> MappedPage? {
        number <= lastPage ? MappedPage(base: base + Int(number) &* pageSize, size: pageSize) : nil
    }

    /// A value on pages of its own: consecutive ones, of which only the first has a header.
    @inline(__always)
    private func longValue(at page: UInt64, count: Int) -> Bytes? {
        guard page <= lastPage, UInt64(PageFormat.headerSize &+ count) <= (lastPage - page + 1) &* UInt64(pageSize)
        else { return nil }
        return Bytes(start: base + Int(page) &* pageSize + PageFormat.headerSize, count: count)
    }

    /// A leaf page's row.
    /// - Parameter index: below `count`.
    @inline(__always)
    func row(_ index: Int, of page: MappedPage) -> MappedPage.Row? {
        guard let node = page.node(index), let key = page.key(of: node) else { return nil }
        let start = node + PageFormat.nodeHeaderSize + key.count
        let room = page.base + page.size - start
        let count = Int(node.loadUnaligned(as: UInt32.self))
        switch node.loadUnaligned(fromByteOffset: 4, as: UInt16.self) {
        case 0:
            return count <= room ? MappedPage.Row(key: key, value: Bytes(start: start, count: count)) : nil
        case PageFormat.bigData:
            guard room >= 8 else { return nil }
            return longValue(at: start.loadUnaligned(as: UInt64.self), count: count).map {
                MappedPage.Row(key: key, value: $0)
            }
        default:
            return nil
        }
    }
}

extension MappedTrees {
    /// - Parameter transaction: must not have written yet.
    /// - Returns: nil when the trees cannot be located. Lookups then wait for memory more often.
    init?(_ transaction: borrowing LMDBTransaction, _ database: borrowing StoreDatabase) {
        let pageSize = database.environment.pageSize
        // The map is aligned to the system's pages; a file from a system with larger pages may not be aligned to its
        // own.
        guard Prefetch.isOn, pageSize <= sysconf(Int32(_SC_PAGESIZE)),
            let answers = Self.record(of: "answers", transaction, database.tables.main),
            let tallies = Self.record(of: "tallies", transaction, database.tables.main)
        else { return nil }
        let lastPage = database.environment.lastPage
        // The record lies on a page of the map, and each page holds its own number, which gives the map's base address.
        let page = UnsafeRawPointer(bitPattern: UInt(bitPattern: answers) & ~UInt(pageSize - 1))
        guard let page, page.load(fromByteOffset: 10, as: UInt16.self) == PageFormat.leaf else { return nil }
        let number = page.load(as: UInt64.self)
        guard number <= lastPage else { return nil }
        self.init(
            base: page - Int(number) * pageSize, pageSize: pageSize, lastPage: lastPage, answers: Self.root(answers),
            tallies: Self.root(tallies))
    }

    private static func root(_ record: UnsafeRawPointer) -> Root {
        let record = TreeRecord(Bytes(start: record, count: PageFormat.treeRecordSize))
        return Root(page: record.root, depth: record.depth)
    }

    /// A tree's record in the tree of all trees: an MDB_db, as `TreeRecord` reads it.
    private static func record(
        of name: String, _ transaction: borrowing LMDBTransaction, _ main: LMDBTable
    ) -> UnsafeRawPointer? {
        var name = name
        return name.withUTF8 { name in
            guard let row = try? transaction.row(of: Bytes(name), in: main), row.count == PageFormat.treeRecordSize
            else { return nil }
            return row.baseAddress
        }
    }
}
