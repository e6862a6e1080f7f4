import Bytes
import CPrefetch

/// One search in one tree, page by page and node by node as LMDB does it, but resumable between steps.
struct PageWalk {
    /// The position of the first row at or after the key.
    struct Place {
        var page: MappedPage
        /// The page's number of nodes if the row is on the next page.
        var index: Int
        /// The next leaf page; nil where it has another parent or does not exist.
        var next: MappedPage?
    }

    private let key: Bytes
    private let isRange: Bool
    private var page: MappedPage
    /// The number of levels below this page, down to a leaf.
    private var below: Int
    /// The remaining range of the binary search among the page's nodes.
    private var low = 0
    private var high = 0
    /// The node in the middle of that range, to be compared next; nil until the page's header is read.
    private var middle: UnsafeRawPointer?
    private var next: MappedPage?
    /// Set once the search has succeeded.
    private(set) var place: Place?

    private static let cacheLine = 64
    /// Answers to prefetch per question, and cache lines per row: enough for a typical question.
    private static let fetchedRows = 4
    private static let fetchedLines = 8

    /// - Parameter isRange: searches for the rows from the key on, rather than for the key's own row.
    /// - Returns: nil when the tree is empty.
    @inline(__always)
    init?(_ key: Bytes, from root: MappedTrees.Root, in trees: MappedTrees, isRange: Bool) {
        guard let page = trees.page(root.page) else { return nil }
        self.key = key
        self.page = page
        self.isRange = isRange
        below = root.depth &- 1
    }

    /// Runs to the next step that would wait for memory, and prefetches its data.
    /// - Returns: false when the search has ended.
    @inline(__always)
    mutating func advance(in trees: MappedTrees) -> Bool {
        repeat {
            if let node = middle {
                guard let nodeKey = page.key(of: node) else { return false }
                let index = (low &+ high) / 2
                if nodeKey.precedes(key, orIsEqual: below > 0) { low = index &+ 1 } else { high = index }
            } else if place == nil {
                guard let count = page.count else { return false }
                // The first key of a branch page is empty: it sorts before everything.
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
                // The question's rows may continue on the next page.
                guard fetchRows(from: low), let next else { return false }
                enter(next)
            }
            // The levels above the last two have few enough pages to stay in the caches.
        } while below > 1
        return true
    }

    /// - Returns: whether there may be more rows on the next page.
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
