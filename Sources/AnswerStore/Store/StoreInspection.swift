import Bytes

/// Reads a partition's data file without trusting it, and, if the page format of the LMDB version is known, without
/// LMDB.
enum StoreInspection {
    static let dataFileName = "data.mdb"

    /// Checks a closed store against its seal.
    ///
    /// A file not touched since is accepted after a look at its first pages. A touched one (copied, restored, given
    /// another owner, or damaged) is checked to its last byte, as is every file with `isWhole`.
    static func verify(
        directory: String, sealedSize: UInt64, stamp: FileStamp?, transactionID: UInt64, isWhole: Bool = false
    ) throws(StoreDamage) -> StoreMeta {
        let file: (size: UInt64, stamp: FileStamp)
        do throws(SystemFailure) {
            file = try FileSystem.size(of: directory + "/" + dataFileName)
        } catch {
            throw StoreDamage("its data file cannot be read (\(error.text))")
        }
        let other = StoreDamage("its data file is not the one that was closed")
        guard file.size == sealedSize else { throw other }
        let meta = !isWhole && file.stamp == stamp ? try meta(in: directory) : try verify(directory: directory)
        guard meta.transactionID == transactionID else { throw other }
        return meta
    }

    /// Checks the whole store: every page reachable by LMDB, and every row's checksum.
    ///
    /// No process may write to the file meanwhile. Takes as long as reading the file once. If the page format of the
    /// LMDB version is unknown, LMDB reads the rows, trusting the pages.
    static func verify(directory: String) throws(StoreDamage) -> StoreMeta {
        LMDBVersion.pagesAreKnown
            ? try verifyPages(directory: directory) : try readRows(of: StoreLayout.tables, in: directory)
    }

    private static func verifyPages(directory: String) throws(StoreDamage) -> StoreMeta {
        let file = try PageFile(path: directory + "/" + dataFileName)
        let snapshot = try file.newestSnapshot()
        // The file may end early only where its last pages are free (mdb.c: mm_last_pg), which cannot be many. The
        // limit also keeps an absurd page number from allocating memory.
        guard snapshot.lastPage / 64 <= file.size / UInt64(file.pageSize) + 1 << 20 else {
            throw StoreDamage("its data file is cut short")
        }
        let pages = PageSet(lastPage: snapshot.lastPage)
        let tables = try tables(of: snapshot, in: file, pages: pages)
        var check = RowCheck()
        for (name, table) in tables {
            try PageScan(table, of: snapshot, in: file, pages: pages).forEachRow { (key, row) throws(StoreDamage) in
                try check.take(key, row, of: name)
                return true
            }
        }
        let free = PageScan(
            snapshot.freeTree, of: snapshot, in: file, order: .number, pages: pages)
        try free.forEachRow { (key, list) throws(StoreDamage) in
            try takeFreePages(list, freedBy: key, snapshot: snapshot, pages: pages)
            return true
        }
        // LMDB's own rule (mdb.c): each page is reachable exactly once, in a table or in the list of free pages.
        guard pages.count == snapshot.lastPage - 1 else {
            throw StoreDamage("pages of its data file are neither used nor free")
        }
        return try check.end(transactionID: snapshot.transactionID)
    }

    /// The row of `meta`, read before the rest of the store.
    static func meta(in directory: String) throws(StoreDamage) -> StoreMeta {
        guard LMDBVersion.pagesAreKnown else { return try readRows(of: ["meta"], in: directory) }
        let file = try PageFile(path: directory + "/" + dataFileName)
        let snapshot = try file.newestSnapshot()
        var check = RowCheck()
        // Before the first transaction there are no tables.
        if snapshot.transactionID > 0 {
            for (name, table) in try tables(of: snapshot, in: file) where name == "meta" {
                try PageScan(table, of: snapshot, in: file).forEachRow { (key, row) throws(StoreDamage) in
                    try check.take(key, row, of: name)
                    return true
                }
            }
        }
        return try check.end(transactionID: snapshot.transactionID)
    }

    /// The named databases, which must be exactly those of the layout.
    static func tables(
        of snapshot: PageSnapshot, in file: PageFile, pages: PageSet? = nil
    ) throws(StoreDamage) -> [(name: String, table: TreeRecord)] {
        var tables: [(name: String, table: TreeRecord)] = []
        let main = PageScan(
            snapshot.mainTree, of: snapshot, in: file, rowFlags: PageFormat.subtree, pages: pages)
        try main.forEachRow { (key, record) throws(StoreDamage) in
            guard record.count == PageFormat.treeRecordSize else { throw StoreDamage("its list of tables is damaged") }
            let table = TreeRecord(record)
            guard table.flags == 0, table.pad == 0 else { throw StoreDamage("its list of tables is damaged") }
            tables.append((String(decoding: key, as: UTF8.self), table))
            return true
        }
        guard tables.map(\.name) == StoreLayout.tables else {
            throw StoreDamage("it does not have the tables of layout \(StoreLayout.version)")
        }
        return tables
    }

    /// A record of the free tree: the number of pages, then the pages in descending order (midl.h).
    private static func takeFreePages(
        _ list: Bytes, freedBy key: Bytes, snapshot: PageSnapshot, pages: PageSet
    ) throws(StoreDamage) {
        let damage = StoreDamage("the list of free pages in its data file is damaged")
        guard key.count == 8, key.loadUnaligned(as: UInt64.self) <= snapshot.transactionID, list.count >= 8 else {
            throw damage
        }
        let count = list.loadUnaligned(as: UInt64.self)
        guard count <= UInt64(list.count / 8 - 1) else { throw damage }
        var previous = UInt64.max
        for index in 0..<Int(count) {
            let page = list.loadUnaligned(fromByteOffset: 8 + index * 8, as: UInt64.self)
            guard page >= 2, page <= snapshot.lastPage, page < previous else { throw damage }
            try pages.insert(page, count: 1)
            previous = page
        }
    }
}

/// Checks a store's rows one by one, then that `meta` fits them and the last transaction.
struct RowCheck {
    private var meta: StoreMeta?
    private var rows = 0

    mutating func take(_ key: Bytes, _ row: Bytes, of table: String) throws(StoreDamage) {
        guard rowIsIntact(key: key, row: row) else {
            throw StoreDamage("a row in its table of \(table) does not match its checksum")
        }
        if table == "meta" { meta = StoreMeta(row) } else { rows += 1 }
    }

    /// - Parameter transactionID: the last transaction according to LMDB's meta pages.
    func end(transactionID: UInt64) throws(StoreDamage) -> StoreMeta {
        guard let meta else { throw StoreDamage("it does not say what it holds") }
        guard meta.layout == StoreLayout.version else { throw StoreDamage(otherLayout: meta.layout) }
        guard meta.transactionID == transactionID else {
            throw StoreDamage("its last transaction is not the one it tells of")
        }
        guard rows == 0 || meta.positions != TablePositions() else {
            throw StoreDamage("its first filling did not come to an end")
        }
        return meta
    }
}
