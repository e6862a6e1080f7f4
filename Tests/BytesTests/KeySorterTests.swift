import Testing

@testable import Bytes

@Suite struct KeySorterTests {
    /// Keys of all kinds, many of them equal, are in the order that a plain sort gives.
    @Test(arguments: 0..<40)
    func sortsAsComparingDoes(seed: UInt64) {
        var generator = SeededGenerator(seed)
        let count = [0, 1, 2, 24, 25, 60, 300, 900].randomElement(using: &generator) ?? 9
        let alphabet = [[0, 1], [0, 0xFF, 0x61], Array(0...0xFF)].randomElement(using: &generator) ?? [0]
        let longest = [1, 3, 9, 30, 200].randomElement(using: &generator) ?? 1
        let prefix = [UInt8](repeating: 0x71, count: [0, 3, 8, 50].randomElement(using: &generator) ?? 0)
        let keys = (0..<count).map { _ in
            prefix
                + (0..<Int.random(in: 0...longest, using: &generator)).map { _ in
                    UInt8(alphabet.randomElement(using: &generator) ?? 0)
                }
        }
        var memory = GrowingBuffer<UInt8>()
        defer { memory.free() }
        memory.reserve(keys.reduce(0) { $0 + $1.count + KeySorter.slack })
        let kept = keys.map { key in
            let start = memory.count
            (key + [UInt8](repeating: 0xEE, count: KeySorter.slack)).withUnsafeBytes { memory.append(contentsOf: $0) }
            return memory.bytes(at: start, count: key.count)
        }
        var sorter = KeySorter()
        defer { sorter.free() }
        var order = (0..<UInt32(count)).map { $0 }
        // Only a part is to be sorted.
        let range = count < 30 ? 0..<count : 5..<count - 5
        order.withUnsafeMutableBufferPointer { order in sorter.sort(order, range) { kept[Int($0)] } }
        let expected = range.sorted { left, right in
            keys[left] == keys[right] ? left < right : keys[left].lexicographicallyPrecedes(keys[right])
        }
        let isRight =
            order == Array(0..<UInt32(range.lowerBound)) + expected.map { UInt32($0) }
            + Array(UInt32(range.upperBound)..<UInt32(count))
        #expect(isRight, "\(count) keys up to \(longest) long")
    }
}
