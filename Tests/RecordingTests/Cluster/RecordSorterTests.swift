import Foundation
import KafkaClient
import Testing

@testable import Recording

@Suite struct RecordSorterTests {
    private struct Item: Equatable {
        var rank: Int64
        var offset: Int64
        var time: Int64 = -1
        var tag: UInt8 = 0
        var key: [UInt8]?
        var value: [UInt8]?
        var headers: [UInt8] = []
    }

    private func path() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("sorter-\(UUID().uuidString)").path
    }

    private func sort(_ items: [Item], budget: Int) throws -> (sorted: [Item], isInOrder: Bool) {
        let path = path()
        let sorter = RecordSorter(path: path, budget: budget)
        for item in items {
            try Self.lend(item.key) { key in
                try Self.lend(item.value) { value in
                    try item.headers.withUnsafeBytes { headers in
                        try sorter.append(
                            SortedRecord(
                                rank: item.rank, offset: item.offset, time: item.time, tag: item.tag, key: key,
                                value: value, headers: headers))
                    }
                }
            }
        }
        #expect(sorter.count == items.count)
        #expect(sorter.highestRank == items.map(\.rank).max())
        let records = try sorter.sorted()
        var result: [Item] = []
        while let record = records.head {
            result.append(
                Item(
                    rank: record.rank, offset: record.offset, time: record.time, tag: record.tag,
                    key: record.key.map(Array.init), value: record.value.map(Array.init), headers: Array(record.headers)
                ))
            try records.advance()
        }
        // A file that was needed has no name any more.
        #expect(!FileManager.default.fileExists(atPath: path))
        return (result, sorter.isInOrder)
    }

    private static func lend<Result>(
        _ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) throws -> Result
    ) throws -> Result {
        guard let bytes else { return try body(nil) }
        return try bytes.withUnsafeBytes {
            // Swift's empty array may have no address; a record's empty value has one.
            try body(UnsafeRawBufferPointer(start: $0.baseAddress ?? UnsafeRawPointer(bitPattern: 8), count: $0.count))
        }
    }

    private func items(_ count: Int, seed: UInt64, ranks: ClosedRange<Int64>) -> [Item] {
        var generator = SeededRandom(state: seed)
        return (0..<count).map { index in
            func bytes() -> [UInt8]? {
                switch Int.random(in: 0...9, using: &generator) {
                case 0: nil
                case 1: []
                default:
                    (0..<Int.random(in: 1...300, using: &generator)).map { _ in .random(in: 0...255, using: &generator)
                    }
                }
            }
            return Item(
                rank: .random(in: ranks, using: &generator), offset: Int64(index), time: Int64(index) * 7,
                tag: UInt8(index % 3), key: bytes(), value: bytes(), headers: bytes() ?? [])
        }
    }

    @Test(arguments: [1 << 12, 1 << 14, 1 << 24])
    func sortsByRankThenOffset(budget: Int) throws {
        let items = items(3000, seed: 1, ranks: -5...200)
        let (sorted, isInOrder) = try sort(items, budget: budget)
        #expect(!isInOrder)
        #expect(sorted == items.sorted { ($0.rank, $0.offset) < ($1.rank, $1.offset) })
    }

    @Test(arguments: [1 << 12, 1 << 24])
    func keepsWhatIsInOrder(budget: Int) throws {
        let items = items(2000, seed: 2, ranks: 7...7)
        let (sorted, isInOrder) = try sort(items, budget: budget)
        #expect(isInOrder)
        #expect(sorted == items)
    }

    @Test func aRecordLargerThanTheBudgetAndTheBuffers() throws {
        let large = Item(rank: 1, offset: 0, key: [1], value: Array(repeating: 7, count: 900_001))
        let small = Item(rank: 0, offset: 1, key: nil, value: [])
        #expect(try sort([large, small, large], budget: 1 << 12).sorted == [small, large, large])
    }

    @Test func nothing() throws {
        #expect(try sort([], budget: 1 << 12).sorted.isEmpty)
    }

    @Test func headersGoThroughBytes() {
        let headers = [
            RecordHeader("a", "1"), RecordHeader(name: "a", value: nil), RecordHeader(name: "", value: []),
            RecordHeader(name: "é", value: [0, 255]),
        ]
        #expect(PackedHeaders.pack(headers).withUnsafeBytes { PackedHeaders($0).headers } == headers)
        #expect(([1, 2, 3] as [UInt8]).withUnsafeBytes { PackedHeaders($0).headers }.isEmpty)
    }
}

/// Random numbers that are the same on every run.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
