import Foundation
import Testing

@testable import Bytes

@Suite struct ExternalSorterTests {
    private struct Item: Equatable {
        var key: [UInt8]
        var tag: UInt32
        var rest: [UInt8]
    }

    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("sorter-\(UUID())").path

    private func items(_ count: Int, seed: UInt64, longestKey: Int) -> [Item] {
        var generator = SeededGenerator(seed)
        func bytes(_ most: Int, _ values: ClosedRange<UInt8>) -> [UInt8] {
            (0..<Int.random(in: 0...most, using: &generator)).map { _ in .random(in: values, using: &generator) }
        }
        return (0..<count).map { Item(key: bytes(longestKey, 0...3), tag: UInt32($0), rest: bytes(200, 0...255)) }
    }

    private func sort(_ items: [Item], budget: Int, isSpilled: Bool = false) throws -> (sorted: [Item], Bool) {
        let sorter = ExternalSorter(path: path, budget: budget)
        for item in items {
            try sorter.append(keyCount: item.key.count, contents: item.key.count + item.rest.count, tag: item.tag) {
                $0.copyBytes(from: item.key + item.rest)
            }
        }
        #expect(sorter.count == items.count)
        if isSpilled { try sorter.spill() }
        let sorted = try sorter.sorted()
        var result: [Item] = []
        while let key = sorted.key.map(Array.init) {
            let item = try #require(try sorted.first())
            #expect(Array(item.key) == key)
            result.append(Item(key: key, tag: item.tag, rest: Array(item.contents.dropFirst(key.count))))
            try sorted.pass()
        }
        #expect(sorted.isDone)
        // A file that was needed has no name any more.
        #expect(!FileManager.default.fileExists(atPath: path))
        return (result, sorter.isInOrder)
    }

    private func inOrder(_ items: [Item]) -> [Item] {
        items.enumerated().sorted {
            $0.element.key == $1.element.key
                ? $0.offset < $1.offset : $0.element.key.lexicographicallyPrecedes($1.element.key)
        }.map(\.element)
    }

    /// Items of equal keys, of which there are many, keep their order.
    @Test(arguments: [0, 3000, 1 << 14, 1 << 24], [1, 12])
    func sortsByKey(budget: Int, longestKey: Int) throws {
        let items = items(2000, seed: UInt64(longestKey), longestKey: longestKey)
        let (sorted, isInOrder) = try sort(items, budget: budget)
        #expect(!isInOrder)
        #expect(sorted == inOrder(items))
    }

    @Test(arguments: [0, 3000, 1 << 24], [true, false])
    func keepsTheOrderOfSortedItems(budget: Int, isSpilled: Bool) throws {
        let items = inOrder(items(1000, seed: 5, longestKey: 6))
        let (sorted, isInOrder) = try sort(items, budget: budget, isSpilled: isSpilled)
        #expect(isInOrder)
        #expect(sorted == items)
    }

    @Test(arguments: [true, false])
    func nothing(isSpilled: Bool) throws {
        #expect(try sort([], budget: 0, isSpilled: isSpilled).sorted.isEmpty)
    }

    /// A file that a process has left at the path, when it died, is not in the way.
    @Test func aFileLeftBehind() throws {
        try Data("left".utf8).write(to: URL(fileURLWithPath: path))
        let items = items(50, seed: 9, longestKey: 4)
        #expect(try sort(items, budget: 0).sorted == inOrder(items))
    }

    @Test func aPathThatCannotBeWritten() throws {
        let sorter = ExternalSorter(path: path + "/none/file", budget: 0)
        let append = { try sorter.append(keyCount: 1, contents: 1, tag: 0) { $0[0] = 1 } }
        try append()
        #expect(throws: SortFailure.writing(SystemFailure(code: ENOENT))) { try append() }
    }

    /// An item that is not as it was written ends the reading, and so does a file that was cut short.
    @Test(arguments: [0, 4, 9, 12, 14, 17, 30])
    func noiseInARun(place: Int) throws {
        let file = try SpillFile(path: path)
        var frames = GrowingBuffer<UInt8>()
        defer { frames.free() }
        let contents = Array("key and value".utf8)
        SortFrame.append(keyCount: 3, contents: contents.count, tag: 7, to: &frames).copyBytes(from: contents)
        SortFrame.seal(frames.address)
        try file.append(frames.bytes)
        try file.flush()
        #expect(try read(file, 0..<file.size) == [contents])
        frames.address[place] ^= 0x5A
        let (noise, end) = (file.size, 2 * file.size)
        try file.append(frames.bytes)
        try file.flush()
        #expect(throws: SortFailure.damaged) { try read(file, noise..<end) }
        #expect(throws: SortFailure.damaged) { try read(file, 0..<noise - 8) }
        #expect(throws: SortFailure.damaged) { try read(file, 0..<8) }
    }

    private func read(_ file: SpillFile, _ piece: Range<Int>) throws -> [[UInt8]] {
        let items = try SortedItems(file, [piece], readAhead: 16)
        var contents: [[UInt8]] = []
        while let item = try items.first() {
            contents.append(Array(item.contents))
            try items.pass()
        }
        return contents
    }

    /// Of the runs' long items there is one in memory at a time.
    @Test func longItemsInManyRuns() throws {
        let file = try SpillFile(path: path)
        var pieces: [Range<Int>] = []
        var expected: [String: Int] = [:]
        for run in 0..<20 {
            let start = file.size
            for (key, length) in [("a00", 10), ("b00", 100_000 + run), ("c\(10 + run)", 20), ("d00", 100_000)] {
                var frames = GrowingBuffer<UInt8>()
                defer { frames.free() }
                let contents = Array(key.utf8) + [UInt8](repeating: 0x78, count: length)
                SortFrame.append(keyCount: 3, contents: contents.count, tag: 0, to: &frames).copyBytes(from: contents)
                SortFrame.seal(frames.address)
                try file.append(frames.bytes)
                expected[key, default: 0] += contents.count
            }
            pieces.append(start..<file.size)
        }
        try file.flush()
        let items = try SortedItems(file, pieces, readAhead: 1000)
        var seen: [String: Int] = [:]
        var order: [String] = []
        while let key = items.key.map({ String(decoding: $0, as: UTF8.self) }) {
            seen[key, default: 0] += try #require(try items.first()).contents.count
            try items.pass()
            if order.last != key { order.append(key) }
            #expect(items.bufferSize <= 20 * 1000)
        }
        #expect(seen == expected)
        #expect(order == order.sorted())
    }
}
