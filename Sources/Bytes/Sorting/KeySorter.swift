/// Sorts keys bytewise, a prefix before longer keys, equal keys in their original order.
///
/// Takes eight bytes of every key as one number, skipping the prefix that all keys share, and radix-sorts the numbers,
/// so that most keys are never compared with each other. Ids of one kind look alike, and comparing them byte by byte
/// cost more than writing them. Keeps its memory; the owner frees it.
@usableFromInline package struct KeySorter {
    @usableFromInline struct Item {
        @usableFromInline var rank: UInt64
        @usableFromInline var index: UInt32

        @inlinable
        init(rank: UInt64, index: UInt32) {
            self.rank = rank
            self.index = index
        }
    }

    /// Ranges up to this size use insertion sort, which is faster for them.
    @inlinable package static var fewItems: Int { 24 }
    /// The number of bytes after the last key that must be readable.
    @inlinable package static var slack: Int { MemoryLayout<UInt64>.size }

    @usableFromInline var items = GrowingBuffer<Item>()
    @usableFromInline var spare = GrowingBuffer<Item>()

    /// A sorter with little memory, which grows with the ranges that it sorts.
    package init() {}

    /// Frees the memory; the sorter stays usable.
    package mutating func giveBack() {
        items.removeAll(keepingRoomFor: 0)
        spare.removeAll(keepingRoomFor: 0)
    }

    /// Call once, in the owner's `deinit`; the sorter must not be used afterwards.
    package func free() {
        items.free()
        spare.free()
    }

    /// Sorts the indices at `range` of `order`.
    /// - Parameter key: the key of an index. At least `slack` bytes after its end must be readable.
    @inlinable @inline(__always)
    package mutating func sort(
        _ order: UnsafeMutableBufferPointer<UInt32>, _ range: Range<Int>, key: (UInt32) -> Bytes
    ) {
        items.fill(range.count) { Item(rank: 0, index: order[range.lowerBound + $0]) }
        spare.removeAll()
        spare.reserve(range.count)
        // A stack of ranges still to sort: keys of a few hundred bytes need few levels, but there may be many ranges.
        var waiting: [(range: Range<Int>, depth: Int)] = []
        var next: (range: Range<Int>, depth: Int)? = (0..<range.count, 0)
        while let (range, depth) = next {
            if range.count <= Self.fewItems {
                insertionSort(range, depth, key)
            } else {
                sortByRank(range, depth, key) { waiting.append(($0, $1)) }
            }
            next = waiting.popLast()
        }
        let sorted = items.elements
        for (offset, place) in range.enumerated() { order[place] = sorted[offset].index }
    }

    /// Sorts as `sort` does, for ranges of few items.
    @inlinable @inline(__always)
    package static func insertionSort(
        _ order: UnsafeMutableBufferPointer<UInt32>, _ range: Range<Int>, key: (UInt32) -> Bytes
    ) {
        for index in range.dropFirst() {
            let item = order[index]
            let itemKey = key(item)
            var place = index
            while place > range.lowerBound, compareBytes(key(order[place - 1]), itemKey) > 0 {
                order[place] = order[place - 1]
                place -= 1
            }
            order[place] = item
        }
    }

    @inlinable @inline(__always)
    func insertionSort(_ range: Range<Int>, _ depth: Int, _ key: (UInt32) -> Bytes) {
        let items = items.elements
        for index in range.dropFirst() {
            let item = items[index]
            let itemKey = key(item.index)
            var place = index
            while place > range.lowerBound, Self.compare(key(items[place - 1].index), itemKey, from: depth) > 0 {
                items[place] = items[place - 1]
                place -= 1
            }
            if place != index { items[place] = item }
        }
    }

    @inlinable @inline(__always)
    static func compare(_ left: Bytes, _ right: Bytes, from depth: Int) -> Int {
        let order = compareBytes(left.dropping(depth), right.dropping(depth))
        // Within the first `depth` bytes keys differ only in length, where one has zeros and the other has ended.
        return order != 0 ? order : left.count - right.count
    }

    /// Sorts by the eight bytes after the range's shared prefix; passes runs of equal ranks to `deeper`.
    @inlinable @inline(__always)
    func sortByRank(
        _ range: Range<Int>, _ depth: Int, _ key: (UInt32) -> Bytes, deeper: (Range<Int>, Int) -> Void
    ) {
        let items = items.elements
        let first = key(items[range.lowerBound].index).dropping(depth)
        var shared = first.count
        var longest = 0
        for index in range {
            let tail = key(items[index].index).dropping(depth)
            shared = first.sharedPrefix(with: tail, atMost: shared)
            longest = max(longest, tail.count)
        }
        let place = depth + shared
        for index in range { items[index].rank = Self.rank(key(items[index].index), at: place) }
        radixSort(range)
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start + 1
            var rests = key(items[start].index).count - place
            var isOneLength = true
            while end < range.upperBound, items[end].rank == items[start].rank {
                let rest = key(items[end].index).count - place
                if rest != rests { isOneLength = false }
                rests = max(rests, rest)
                end += 1
            }
            if end - start > 1 {
                if rests > MemoryLayout<UInt64>.size {
                    deeper(start..<end, place + MemoryLayout<UInt64>.size)
                } else if !isOneLength {
                    // Ranks are padded with zeros, and keys may end with zeros: among equal ranks the shorter key comes
                    // first.
                    for index in start..<end { items[index].rank = UInt64(key(items[index].index).count) }
                    radixSort(start..<end)
                }
            }
            start = end
        }
    }

    /// Sorts by bytes, last byte first, skipping bytes that are equal in all ranks.
    @inlinable
    func radixSort(_ range: Range<Int>) {
        guard let items = items.elements.baseAddress, let spare = spare.room.baseAddress else { return }
        let count = range.count
        var source = items + range.lowerBound
        var target = spare
        var differing: UInt64 = 0
        for index in 0..<count { differing |= source[index].rank ^ source[0].rank }
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: 256) { places in
            var shift: UInt64 = 0
            while shift < 64 {
                defer { shift += 8 }
                guard differing >> shift & 0xFF != 0 else { continue }
                places.update(repeating: 0)
                for index in 0..<count { places[Int(source[index].rank >> shift & 0xFF)] &+= 1 }
                var total: Int32 = 0
                for digit in 0..<256 {
                    let number = places[digit]
                    places[digit] = total
                    total &+= number
                }
                for index in 0..<count {
                    let digit = Int(source[index].rank >> shift & 0xFF)
                    target[Int(places[digit])] = source[index]
                    places[digit] &+= 1
                }
                swap(&source, &target)
            }
        }
        if source == spare { (items + range.lowerBound).update(from: spare, count: count) }
    }

    @inlinable @inline(__always)
    static func rank(_ key: Bytes, at place: Int) -> UInt64 {
        let rest = key.count - place
        guard rest > 0 else { return 0 }
        let rank = UInt64(bigEndian: key.loadPastEnd(at: place))
        return rest >= 8 ? rank : rank & (UInt64.max << UInt64(64 - 8 * rest))
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes after the first `count`; empty if there are not that many.
    @inlinable @inline(__always)
    func dropping(_ count: Int) -> Bytes {
        guard let baseAddress, count < self.count else { return Bytes(start: nil, count: 0) }
        return Bytes(start: baseAddress + count, count: self.count - count)
    }

    @inlinable @inline(__always)
    func sharedPrefix(with other: Bytes, atMost limit: Int) -> Int {
        let most = Swift.min(limit, count, other.count)
        guard let left = baseAddress, let right = other.baseAddress else { return 0 }
        var index = 0
        while index + 8 <= most,
            (left + index).loadUnaligned(as: UInt64.self) == (right + index).loadUnaligned(as: UInt64.self)
        {
            index += 8
        }
        while index < most,
            left.load(fromByteOffset: index, as: UInt8.self) == right.load(fromByteOffset: index, as: UInt8.self)
        {
            index += 1
        }
        return index
    }

    /// Eight bytes from `place`, which lies before the end; they may extend past it.
    @inlinable @inline(__always)
    func loadPastEnd(at place: Int) -> UInt64 {
        // The owner keeps `KeySorter.slack` readable bytes after the keys.
        guard let baseAddress else { return 0 }
        return (baseAddress + place).loadUnaligned(as: UInt64.self)
    }
}
