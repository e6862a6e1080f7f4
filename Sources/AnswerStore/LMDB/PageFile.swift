import Bytes

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// LMDB 0.9's data file as it lies on disk (64-bit, little-endian; mdb.c: MDB_page, MDB_node, MDB_db, MDB_meta), read
// with pread, every number checked. LMDB trusts its file and maps it; this code cannot crash on a damaged one.

/// Sizes, offsets and flags of the format.
enum PageFormat {
    static let magic: UInt32 = 0xBEEF_C0DE
    static let version: UInt32 = 1
    static let headerSize = 16
    static let nodeHeaderSize = 8
    static let treeRecordSize = 48
    static let metaSize = 136
    static let longestKey = 511
    static let deepest = 32
    static let noPage = UInt64.max

    static let branch: UInt16 = 0x01
    static let leaf: UInt16 = 0x02
    static let overflow: UInt16 = 0x04
    static let meta: UInt16 = 0x08

    static let bigData: UInt16 = 0x01
    static let subtree: UInt16 = 0x02
    /// MDB_INTEGERKEY, a flag of the tree of free pages.
    static let integerKeys: UInt16 = 0x08
}

/// LMDB's record of one B-tree (MDB_db).
struct TreeRecord: Equatable {
    var pad: UInt32
    var flags: UInt16
    var depth: Int
    var branchPages: UInt64
    var leafPages: UInt64
    var overflowPages: UInt64
    var entries: UInt64
    var root: UInt64

    /// `bytes` must be at least `treeRecordSize` long.
    init(_ bytes: Bytes) {
        pad = bytes.loadUnaligned(as: UInt32.self)
        flags = bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
        depth = Int(bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
        branchPages = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        leafPages = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        overflowPages = bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        entries = bytes.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
        root = bytes.loadUnaligned(fromByteOffset: 40, as: UInt64.self)
    }
}

/// The contents of a meta page: the roots of a transaction's snapshot (MDB_meta).
struct PageSnapshot: Equatable {
    var transactionID: UInt64
    var freeTree: TreeRecord
    var mainTree: TreeRecord
    var lastPage: UInt64
}

/// A data file opened read-only. Confined to one thread.
final class PageFile {
    private let descriptor: Int32
    /// In bytes, as of `refresh`.
    private(set) var size: UInt64 = 0
    private(set) var pageSize = 0

    init(path: String) throws(StoreDamage) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw StoreDamage(
                errno == ENOENT
                    ? "its data file is missing" : "its data file cannot be opened (\(SystemFailure.last.text))")
        }
        try refresh()
    }

    deinit { close(descriptor) }

    private func refresh() throws(StoreDamage) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw StoreDamage("its data file cannot be read (\(SystemFailure.last.text))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw StoreDamage("its data file is not a file") }
        size = UInt64(max(0, status.st_size))
    }

    /// Fills `target` from `offset` on; a file that ends before that is damaged.
    func read(at offset: UInt64, into target: UnsafeMutableRawBufferPointer) throws(StoreDamage) {
        var done = 0
        while done < target.count {
            guard let place = Int64(exactly: offset &+ UInt64(done)), let base = target.baseAddress else {
                throw StoreDamage("its data file points outside of itself")
            }
            let count: Int
            do throws(SystemFailure) {
                count = try Descriptor.readSome(
                    descriptor, at: Int(place),
                    into: UnsafeMutableRawBufferPointer(start: base + done, count: target.count - done))
            } catch {
                throw StoreDamage("its data file cannot be read (\(error.text))")
            }
            guard count > 0 else { throw StoreDamage("its data file is cut short") }
            done += count
        }
    }

    /// The last transaction's snapshot. Both meta pages must be valid, as LMDB itself requires.
    func newestSnapshot() throws(StoreDamage) -> PageSnapshot {
        try refresh()
        let first = try meta(at: 0, page: 0)
        let second = try meta(at: UInt64(pageSize), page: 1)
        return first.transactionID < second.transactionID ? second : first
    }

    private func meta(at offset: UInt64, page: UInt64) throws(StoreDamage) -> PageSnapshot {
        let damage = StoreDamage("page \(page) of its data file is not a meta page of LMDB 0.9")
        let length = PageFormat.headerSize + PageFormat.metaSize
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 8)
        defer { buffer.deallocate() }
        try read(at: offset, into: buffer)
        let header = Bytes(buffer)
        let meta = header.piece(PageFormat.headerSize, PageFormat.metaSize)
        guard header.load(as: UInt64.self) == page,
            header.load(fromByteOffset: 10, as: UInt16.self) == PageFormat.meta,
            meta.load(as: UInt32.self) == PageFormat.magic,
            meta.load(fromByteOffset: 4, as: UInt32.self) == PageFormat.version
        else { throw damage }
        let snapshot = PageSnapshot(
            transactionID: meta.load(fromByteOffset: 128, as: UInt64.self),
            freeTree: TreeRecord(meta.piece(24, PageFormat.treeRecordSize)),
            mainTree: TreeRecord(meta.piece(72, PageFormat.treeRecordSize)),
            lastPage: meta.load(fromByteOffset: 120, as: UInt64.self))
        // The free tree's pad field holds the page size, its flags the environment's.
        let statedPageSize = Int(snapshot.freeTree.pad)
        guard statedPageSize >= 256, statedPageSize <= 32768, statedPageSize & (statedPageSize - 1) == 0,
            page == 0 || statedPageSize == pageSize,
            snapshot.freeTree.flags == PageFormat.integerKeys,
            snapshot.mainTree.flags == 0, snapshot.mainTree.pad == 0,
            snapshot.lastPage >= 1, snapshot.lastPage < 1 << 47
        else { throw damage }
        if page == 0 { pageSize = statedPageSize }
        return snapshot
    }
}
