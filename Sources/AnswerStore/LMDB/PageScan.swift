import Bytes

/// Scans the rows of one B-tree of a snapshot in key order, checking all that LMDB relies on: page numbers and kinds,
/// node positions, key order, depth and counts. With a page set it also checks that no page is used twice.
final class PageScan {
    enum KeyOrder { case bytes, number }

    private let file: PageFile
    private let snapshot: PageSnapshot
    private let order: KeyOrder
    private let tree: TreeRecord
    private let pages: PageSet?
    /// The flags of the tree's row nodes, apart from `bigData`.
    private let rowFlags: UInt16

    private var levels: [UnsafeMutableRawBufferPointer] = []
    private var overflow = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private let lastKey = UnsafeMutableRawBufferPointer.allocate(byteCount: PageFormat.longestKey, alignment: 8)
    private var lastKeyCount = 0
    /// A lower bound for the keys from here on; points into the branch page being read.
    private var floor: Bytes?

    private var branchPages: UInt64 = 0
    private var leafPages: UInt64 = 0
    private var overflowPages: UInt64 = 0
    private var entries: UInt64 = 0

    init(
        _ tree: TreeRecord, of snapshot: PageSnapshot, in file: PageFile, order: KeyOrder = .bytes,
        rowFlags: UInt16 = 0, pages: PageSet? = nil
    ) {
        self.tree = tree
        self.snapshot = snapshot
        self.file = file
        self.order = order
        self.rowFlags = rowFlags
        self.pages = pages
    }

    deinit {
        for level in levels { level.deallocate() }
        overflow.deallocate()
        lastKey.deallocate()
    }

    typealias RowBody = (_ key: Bytes, _ value: Bytes) throws(StoreDamage) -> Bool

    /// Calls `body` for every row; its arguments are valid until it returns. Returning false ends the scan. A complete
    /// scan has also checked the tree's counts.
    func forEachRow(_ body: RowBody) throws(StoreDamage) {
        if try scan(from: nil, body) {
            guard branchPages == tree.branchPages, leafPages == tree.leafPages,
                overflowPages == tree.overflowPages, entries == tree.entries
            else { throw StoreDamage("a table of its data file holds another number of rows or pages than it says") }
        }
    }

    /// As `forEachRow(_:)`, for the keys from `lowerBound` on; does not check the counts.
    func forEachRow(from lowerBound: Bytes, _ body: RowBody) throws(StoreDamage) {
        _ = try scan(from: lowerBound, body)
    }

    private func scan(from lowerBound: Bytes?, _ body: RowBody) throws(StoreDamage) -> Bool {
        guard tree.root != PageFormat.noPage else {
            guard tree.depth == 0 else { throw StoreDamage("an empty table of its data file has pages") }
            return true
        }
        guard tree.depth >= 1, tree.depth <= PageFormat.deepest else {
            throw StoreDamage("a table of its data file has an impossible depth")
        }
        return try visit(tree.root, level: 1, from: lowerBound, body)
    }

    /// False when `body` ended the scan.
    private func visit(_ page: UInt64, level: Int, from lowerBound: Bytes?, _ body: RowBody) throws(StoreDamage) -> Bool
    {
        let isLeaf = level == tree.depth
        let buffer = try load(page, level: level, kind: isLeaf ? PageFormat.leaf : PageFormat.branch)
        let nodes = try Nodes(buffer, page: page, isLeaf: isLeaf)
        guard isLeaf else {
            branchPages += 1
            for index in 0..<nodes.count {
                if index > 0 {
                    let separator = nodes.key(index)
                    if lastKeyCount > 0, try compare(Bytes(rebasing: lastKey[..<lastKeyCount]), separator) >= 0 {
                        throw damage(page)
                    }
                    floor = separator
                }
                if let lowerBound, index + 1 < nodes.count, try compare(nodes.key(index + 1), lowerBound) <= 0 {
                    continue
                }
                guard try visit(nodes.child(index), level: level + 1, from: lowerBound, body) else { return false }
            }
            return true
        }
        leafPages += 1
        for index in 0..<nodes.count {
            let key = nodes.key(index)
            guard !key.isEmpty else { throw damage(page) }
            if lastKeyCount > 0, try compare(Bytes(rebasing: lastKey[..<lastKeyCount]), key) >= 0 {
                throw damage(page)
            }
            if let floor, try compare(floor, key) > 0 { throw damage(page) }
            floor = nil
            lastKey.copyMemory(from: key)
            lastKeyCount = key.count
            entries += 1
            if let lowerBound, try compare(key, lowerBound) < 0 { continue }
            let flags = nodes.flags(index)
            guard flags & ~PageFormat.bigData == rowFlags else { throw damage(page) }
            let value =
                flags & PageFormat.bigData == 0
                ? nodes.inlineValue(index) : try overflowValue(nodes.overflowPage(index), nodes.valueSize(index))
            guard try body(key, value) else { return false }
        }
        return true
    }

    private func load(_ page: UInt64, level: Int, kind: UInt16) throws(StoreDamage) -> Bytes {
        try take(page, count: 1)
        while levels.count < level {
            levels.append(.allocate(byteCount: file.pageSize, alignment: 8))
        }
        let buffer = levels[level - 1]
        try file.read(at: page * UInt64(file.pageSize), into: buffer)
        guard buffer.load(as: UInt64.self) == page, buffer.load(fromByteOffset: 10, as: UInt16.self) == kind else {
            throw damage(page)
        }
        return Bytes(buffer)
    }

    /// A value too long for a page: it occupies consecutive pages, of which only the first has a header.
    private func overflowValue(_ page: UInt64, _ size: Int) throws(StoreDamage) -> Bytes {
        let offset = page.multipliedReportingOverflow(by: UInt64(file.pageSize))
        guard !offset.overflow, UInt64(size) <= file.size else { throw damage(page) }
        let length = PageFormat.headerSize + size
        if overflow.count < length {
            overflow.deallocate()
            overflow = .allocate(byteCount: max(length, overflow.count * 2), alignment: 8)
        }
        let target = UnsafeMutableRawBufferPointer(rebasing: overflow[..<length])
        // Check the page number first: an impossible one must not be read.
        guard page >= 2, page <= snapshot.lastPage else { throw damage(page) }
        try file.read(at: offset.partialValue, into: target)
        let count = UInt64(target.load(fromByteOffset: 12, as: UInt32.self))
        guard target.load(as: UInt64.self) == page,
            target.load(fromByteOffset: 10, as: UInt16.self) == PageFormat.overflow,
            count * UInt64(file.pageSize) >= UInt64(length)
        else { throw damage(page) }
        try take(page, count: count)
        overflowPages += count
        return Bytes(rebasing: target[PageFormat.headerSize...])
    }

    private func take(_ page: UInt64, count: UInt64) throws(StoreDamage) {
        guard page >= 2, page <= snapshot.lastPage, count <= snapshot.lastPage - page + 1 else {
            throw StoreDamage("its data file points to a page it does not have")
        }
        try pages?.insert(page, count: count)
    }

    private func compare(_ left: Bytes, _ right: Bytes) throws(StoreDamage) -> Int {
        switch order {
        case .bytes: return compareBytes(left, right)
        case .number:
            guard left.count == 8, right.count == 8 else {
                throw StoreDamage("the list of free pages in its data file is damaged")
            }
            let (left, right) = (left.loadUnaligned(as: UInt64.self), right.loadUnaligned(as: UInt64.self))
            return left < right ? -1 : left > right ? 1 : 0
        }
    }

    private func damage(_ page: UInt64) -> StoreDamage { StoreDamage("page \(page) of its data file is damaged") }
}

/// The nodes of a branch or leaf page. The initializer checks that all of them lie within the page.
private struct Nodes {
    private let page: Bytes
    let count: Int

    init(_ page: Bytes, page number: UInt64, isLeaf: Bool) throws(StoreDamage) {
        let damage = StoreDamage("page \(number) of its data file is damaged")
        let lower = Int(page.load(fromByteOffset: 12, as: UInt16.self))
        let upper = Int(page.load(fromByteOffset: 14, as: UInt16.self))
        guard lower > PageFormat.headerSize, lower % 2 == 0, lower <= upper, upper <= page.count else { throw damage }
        self.page = page
        count = (lower - PageFormat.headerSize) / 2
        // Nodes fill the page from `upper` to its end without gaps.
        var total = 0
        for index in 0..<count {
            let offset = offset(index)
            guard offset >= upper, offset % 2 == 0, offset <= page.count - PageFormat.nodeHeaderSize else {
                throw damage
            }
            var length = PageFormat.nodeHeaderSize + keySize(index)
            if isLeaf {
                length += flags(index) & PageFormat.bigData != 0 ? 8 : valueSize(index)
            }
            guard keySize(index) <= PageFormat.longestKey, length <= page.count - offset else { throw damage }
            total += (length + 1) & ~1
        }
        guard total == page.count - upper else { throw damage }
    }

    private func offset(_ index: Int) -> Int {
        Int(page.load(fromByteOffset: PageFormat.headerSize + index * 2, as: UInt16.self))
    }

    private func keySize(_ index: Int) -> Int {
        Int(page.load(fromByteOffset: offset(index) + 6, as: UInt16.self))
    }

    func flags(_ index: Int) -> UInt16 { page.load(fromByteOffset: offset(index) + 4, as: UInt16.self) }

    func key(_ index: Int) -> Bytes { page.piece(offset(index) + PageFormat.nodeHeaderSize, keySize(index)) }

    func valueSize(_ index: Int) -> Int { Int(page.loadUnaligned(fromByteOffset: offset(index), as: UInt32.self)) }

    func child(_ index: Int) -> UInt64 { UInt64(valueSize(index)) | UInt64(flags(index)) << 32 }

    func inlineValue(_ index: Int) -> Bytes {
        page.piece(offset(index) + PageFormat.nodeHeaderSize + keySize(index), valueSize(index))
    }

    func overflowPage(_ index: Int) -> UInt64 {
        page.loadUnaligned(
            fromByteOffset: offset(index) + PageFormat.nodeHeaderSize + keySize(index), as: UInt64.self)
    }
}

/// The set of a file's pages that are accounted for.
final class PageSet {
    private var words: [UInt64]
    private(set) var count: UInt64 = 0

    /// Memory: one bit a page, so 32 KiB for a file of 1 GiB.
    init(lastPage: UInt64) { words = Array(repeating: 0, count: Int(lastPage / 64 + 1)) }

    /// All pages must be at most `lastPage`.
    func insert(_ first: UInt64, count newPages: UInt64) throws(StoreDamage) {
        for page in first..<first + newPages {
            let (word, bit) = (Int(page / 64), UInt64(1) << (page % 64))
            guard words[word] & bit == 0 else { throw StoreDamage("its data file uses page \(page) twice") }
            words[word] |= bit
        }
        count += newPages
    }
}
