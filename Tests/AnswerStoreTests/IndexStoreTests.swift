import Testing

@testable import AnswerStore

/// The map of an index's store: small ones here, so that they fill.
@Suite struct IndexStoreTests {
    private static let mapSize = 1 << 19

    private static func key(_ number: Int) -> [UInt8] { Array("row \(number)".utf8) }

    private static func value(_ number: Int) -> [UInt8] { Array(repeating: UInt8(number & 0xFF), count: 600) }

    private func withStore(_ body: (IndexStore, TemporaryDirectory) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let store = try IndexStore(directory: directory.path, source: "topic", mapSizes: [Self.mapSize])
        defer { store.close() }
        try body(store, directory)
    }

    @Test("a map that fills in the middle of a transaction grows, and the transaction goes on")
    func fullMap() throws {
        try withStore { store, directory in
            try store.set(Self.key(-1), [1])
            try store.setPosition(7, ofPartition: 3)
            try store.commit()
            try store.set(Self.key(-1), nil)
            for number in 0..<3_000 { try store.set(Self.key(number), Self.value(number)) }
            try store.setPosition(3_007, ofPartition: 3)
            #expect(try store.value(of: Self.key(-1)) == nil)
            #expect(try store.keys(beginningWith: Self.key(299)).count == 11)
            try store.commit()
            store.close()
            let again = try IndexStore(directory: directory.path, source: "topic", mapSizes: [Self.mapSize])
            defer { again.close() }
            #expect(try again.position(ofPartition: 3) == 3_007)
            for number in 0..<3_000 { #expect(try again.value(of: Self.key(number)) == Self.value(number)) }
            // Its file is larger than the map that was asked for.
            for number in 3_000..<6_000 { try again.set(Self.key(number), Self.value(number)) }
            try again.commit()
            #expect(try again.keys(beginningWith: Array("row".utf8)).count == 6_000)
        }
    }

    @Test("a store that is emptied and filled in one transaction has only the new entries")
    func emptied() throws {
        try withStore { store, directory in
            for number in 0..<500 { try store.set(Self.key(number), Self.value(number)) }
            try store.commit()
            for number in 0..<100 { try store.set(Self.key(number), nil) }
            try store.removeAll()
            for number in 600..<1_800 { try store.set(Self.key(number), Self.value(number)) }
            try store.commit()
            #expect(try store.keys(beginningWith: Array("row".utf8)).count == 1_200)
            store.close()
            let again = try IndexStore(directory: directory.path, source: "another", mapSizes: [Self.mapSize])
            defer { again.close() }
            #expect(try again.keys(beginningWith: Array("row".utf8)).isEmpty)
        }
    }

    @Test("a closed store says so")
    func closed() throws {
        try withStore { store, _ in
            store.close()
            let error = #expect(throws: StoreError.self) { try store.set([1], [2]) }
            #expect(error?.kind == .closed)
            #expect(throws: StoreError.self) { try store.commit() }
        }
    }
}
