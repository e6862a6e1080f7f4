import Records

/// Puts keys in bytewise order, a prefix before what it begins, and equal keys in the order they came in.
///
/// Eight bytes of every key at a time are taken as one number and sorted by their digits (most significant bytes first, what
/// all keys share skipped), so that most keys are never compared with each other. Ids of one kind look alike, and comparing
/// them byte by byte cost more than writing them. Keeps its memory; the owner frees it.
struct KeySorter {
    private struct Item {
        var rank: UInt64
        var index: UInt32
    }

    /// Up to so many are inserted one by one, which is faster than counting digits.
    static let fewItems = 24
    /// Bytes that may be read behind the last key.
    static let slack = MemoryLayout<UInt64>.size

    private var items = GrowingBuffer<Item>()
    private var spare = GrowingBuffer<Item>()

    /// Gives its memory back, but can be used on.
    mutating func giveBack() {
        items.removeAll(keepingRoomFor: 0)
        spare.removeAll(keepingRoomFor: 0)
    }

    func free() {
        items.free()
        spare.free()
    }

    /// Sorts places `range` of `order`, which holds indices.
    /// - Parameter key: the key of an index. Behind its end `slack` more bytes can be read.
    @inline(__always)
    mutating func sort(
        _ order: UnsafeMutableBufferPointer<UInt32>, _ range: Range<Int>, key: (UInt32) -> Bytes
    ) {
        items.removeAll()
        items.reserve(range.count)
        for place in range { items.append(Item(rank: 0, index: order[place])) }
        spare.removeAll()
        spare.reserve(range.count)
        // Deeper ranges wait here: keys of a few hundred bytes are few steps deep, but there may be many ranges.
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
    @inline(__always)
    static func insertionSort(
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

    @inline(__always)
    private func insertionSort(_ range: Range<Int>, _ depth: Int, _ key: (UInt32) -> Bytes) {
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

    @inline(__always)
    private static func compare(_ left: Bytes, _ right: Bytes, from depth: Int) -> Int {
        let order = compareBytes(left.dropping(depth), right.dropping(depth))
        // Before `depth` they differ at most in how many zeros they end with.
        return order != 0 ? order : left.count - right.count
    }

    /// Sorts by the eight bytes behind what all keys of the range share; what is equal in them is left to `deeper`.
    @inline(__always)
    private func sortByRank(
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
                    // Ranks are filled up with zeros, which keys may end with: what is equal but longer comes later.
                    for index in start..<end { items[index].rank = UInt64(key(items[index].index).count) }
                    radixSort(start..<end)
                }
            }
            start = end
        }
    }

    /// Byte by byte from the last, only those in which ranks differ.
    private func radixSort(_ range: Range<Int>) {
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

    @inline(__always)
    private static func rank(_ key: Bytes, at place: Int) -> UInt64 {
        let rest = key.count - place
        guard rest > 0 else { return 0 }
        let rank = UInt64(bigEndian: key.loadPastEnd(at: place))
        return rest >= 8 ? rank : rank & (UInt64.max << UInt64(64 - 8 * rest))
    }
}

extension UnsafeRawBufferPointer {
    /// What follows the first `count` bytes; nothing when there are not as many.
    @inline(__always)
    fileprivate func dropping(_ count: Int) -> Bytes {
        guard let baseAddress, count < self.count else { return Bytes(start: nil, count: 0) }
        return Bytes(start: baseAddress + count, count: self.count - count)
    }

    @inline(__always)
    fileprivate func sharedPrefix(with other: Bytes, atMost limit: Int) -> Int {
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

    /// Eight bytes from `place`, which lies before the end; the last of them may lie behind it.
    @inline(__always)
    fileprivate func loadPastEnd(at place: Int) -> UInt64 {
        // The owner of the bytes keeps `KeySorter.slack` readable bytes behind them.
        guard let baseAddress else { return 0 }
        return (baseAddress + place).loadUnaligned(as: UInt64.self)
    }
}
