import Records
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where the trees of the last commit begin in LMDB's map, for searches that go on side by side (`PageWalk`), which LMDB's do
/// not.
///
/// Valid until the next commit, and until the map is made larger or closed: up to then LMDB changes no page of that commit, as
/// a transaction takes only pages that were freed before the last one (mdb_page_alloc).
struct MappedTrees {
    struct Root {
        var page: UInt64
        /// Pages from the root down to a row, both counted.
        var depth: Int
    }

    /// No two of a process have the same: tells whether a page that was found is still what it was.
    let id = lastID.add(1, ordering: .relaxed).newValue
    let base: UnsafeRawPointer
    let pageSize: Int
    let lastPage: UInt64
    let answers: Root
    let tallies: Root

    private static let lastID = Atomic<UInt64>(0)

    /// Nil for a page that the file does not have.
    @inline(__always)
    func page(_ number: UInt64) -> MappedPage? {
        number <= lastPage ? MappedPage(base: base + Int(number) &* pageSize, size: pageSize) : nil
    }

    /// A value that has pages of its own, consecutive ones, of which only the first has a head.
    @inline(__always)
    func longValue(at page: UInt64, count: Int) -> Bytes? {
        guard page <= lastPage, UInt64(PageFormat.headerSize &+ count) <= (lastPage - page + 1) &* UInt64(pageSize)
        else { return nil }
        return Bytes(start: base + Int(page) &* pageSize + PageFormat.headerSize, count: count)
    }
}

extension MappedTrees {
    /// - Parameter transaction: has changed nothing yet.
    /// - Returns: nil when the trees are not found where they are expected. Lookups wait for memory more often then.
    init?(_ transaction: borrowing LMDBTransaction, _ database: borrowing StoreDatabase) {
        let pageSize = database.environment.pageSize
        // The map begins where one of the system's pages does. A file from a system with larger ones may begin within one of its.
        guard pageSize <= sysconf(Int32(_SC_PAGESIZE)),
            let answers = Self.record(of: "answers", transaction, database.tables.main),
            let tallies = Self.record(of: "tallies", transaction, database.tables.main)
        else { return nil }
        let lastPage = database.environment.lastPage
        // The records lie on pages of the map, and each page bears its number: the first one's place follows.
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

    /// The record of a tree in the tree of all trees: MDB_db, as `TreeRecord` reads it.
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
