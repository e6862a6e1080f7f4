import CPrefetch
import Records

/// One search in one tree, from page to page and from node to node, as LMDB makes it, in steps.
struct PageWalk {
    /// Where the first row is that is not before the key.
    struct Place {
        var page: MappedPage
        /// The number of nodes of the page when the row is on the next one.
        var index: Int
        /// The next leaf page; nil where it has another parent, or where there is none.
        var next: MappedPage?
    }

    private let key: Bytes
    private let isRange: Bool
    private var page: MappedPage
    /// Pages below this one, up to a leaf.
    private var below: Int
    /// What is searched for is among these nodes of the page.
    private var low = 0
    private var high = 0
    /// The one in the middle of them, to be compared next; nil while the page's head is not read.
    private var middle: UnsafeRawPointer?
    private var next: MappedPage?
    /// Once the search has ended well.
    private(set) var place: Place?

    private static let cacheLine = 64
    /// Answers of a question that are asked for, and lines of each row: what a usual question has.
    private static let fetchedRows = 4
    private static let fetchedLines = 8

    /// - Parameter isRange: the rows from the key on are wanted, not the row of the key alone.
    /// - Returns: nil when the tree is empty.
    @inline(__always)
    init?(_ key: Bytes, from root: MappedTrees.Root, in trees: MappedTrees, isRange: Bool) {
        guard let page = trees.page(root.page) else { return nil }
        self.key = key
        self.page = page
        self.isRange = isRange
        below = root.depth &- 1
    }

    /// Takes steps up to the next that would wait for memory, and asks for what that one reads.
    /// - Returns: false at the end.
    @inline(__always)
    mutating func advance(in trees: MappedTrees) -> Bool {
        repeat {
            if let node = middle {
                guard let nodeKey = page.key(of: node) else { return false }
                let index = (low &+ high) / 2
                if nodeKey.precedes(key, orIsEqual: below > 0) { low = index &+ 1 } else { high = index }
            } else if place == nil {
                guard let count = page.count else { return false }
                // The first key of a branch page is empty: it stands for everything before the second.
                low = below > 0 ? 1 : 0
                high = count
            } else {
                fetchRows(from: 0)
                return false
            }
            if low < high {
                guard let node = page.node((low &+ high) / 2) else { return false }
                middle = node
                prefetch(node)
                prefetch(node + PageFormat.nodeHeaderSize + key.count)
            } else if below > 0 {
                guard let child = page.child(low &- 1).flatMap(trees.page), let count = page.count else { return false }
                if below == 1, isRange, low < count { next = page.child(low).flatMap(trees.page) }
                below &-= 1
                enter(child)
            } else {
                place = Place(page: page, index: low, next: next)
                // The question's rows may go on there.
                guard fetchRows(from: low), let next else { return false }
                enter(next)
            }
            // The pages above the last two are few enough to stay in the caches.
        } while below > 1
        return true
    }

    /// - Returns: whether there may be more of them on the next page.
    @inline(__always) @discardableResult
    private func fetchRows(from index: Int) -> Bool {
        guard let count = page.count else { return false }
        let rows = isRange ? Self.fetchedRows : 1
        for index in index..<max(index, min(index &+ rows, count)) {
            guard let node = page.node(index) else { return false }
            for line in 0..<Self.fetchedLines { prefetch(node + line &* Self.cacheLine) }
        }
        return index &+ rows > count
    }

    @inline(__always)
    private mutating func enter(_ child: MappedPage) {
        page = child
        middle = nil
        for line in 0..<4 { prefetch(child.base + line &* Self.cacheLine) }
    }
}
