import Bytes
import Foundation
import Records
import Testing

@testable import AnswerStore

/// A damaged store is never trusted half-way and never crashes: it opens with all that was there, or empty.
@Suite struct StoreDamageTests {
    /// A store with values on pages of their own, deep enough for branch pages, and with free pages.
    private final class Sample {
        /// Where damaged copies are laid out and opened, one after the other.
        let place: TemporaryDirectory
        let state: StateDirectory
        let questions = (0..<60).map { "question-\($0)" }
        let seen: [[Seen]]
        let positions: TablePositions
        var data: [UInt8]
        var seal: [UInt8]

        /// - Parameter isClosed: as a proper close leaves it; else as a killed process does.
        init(isClosed: Bool) throws {
            place = try TemporaryDirectory()
            state = try StateDirectory(path: place.path)
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            let store = try StateDirectory(path: directory.path).openStore(partition: 3, source: .test).store
            for round in 0..<6 {
                try store.apply(
                    questions.enumerated().flatMap { index, question -> [Change] in
                        (0..<3).flatMap { answer -> [Change] in
                            let length = index % 10 == round ? 7000 : 100 + index
                            return [
                                .answer(question, "answer-\(answer)", String(repeating: "\(round)", count: length)),
                                .cast(question, "answer-\(answer)", voter: "voter-\(round)", 1),
                                .cast(question, "answer-\(answer)", voter: "voter-\(round % 2)", -1),
                            ]
                        }
                    })
                try store.apply([.forgetVotes("question-\(round)"), .forgetAnswers("question-\(round + 10)")])
            }
            seen = try questions.map { try store.see($0) }
            positions = store.positions
            if isClosed { store.close() }
            data = try Self.read(directory, "data.mdb")
            seal = try Self.read(directory, "seal")
            store.close()
        }

        deinit { place.remove() }

        static func read(_ directory: TemporaryDirectory, _ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: URL(fileURLWithPath: "\(directory.path)/partitions/3/\(name)")))
        }
    }

    private enum Outcome: Equatable { case resumed, rebuilt, created }

    /// Lays the files out, opens them, and checks that it is all or nothing.
    @discardableResult
    private func open(
        _ sample: Sample, data: [UInt8]?, seal: [UInt8]?, _ comment: @autoclosure () -> String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let (directory, state) = (sample.place, sample.state)
        let stores = directory.path + "/partitions/3"
        try? FileManager.default.removeItem(atPath: stores)
        try FileManager.default.createDirectory(atPath: stores, withIntermediateDirectories: true)
        if let data { try Data(data).write(to: URL(fileURLWithPath: stores + "/data.mdb")) }
        if let seal { try Data(seal).write(to: URL(fileURLWithPath: stores + "/seal")) }
        // Looking into the store must not crash either, nor find rows that it never held.
        for index in [0, 17, 44] {
            let search = try sample.questions[index].withBytes {
                try StateDirectory.find(question: $0, stateDirectory: directory.path)
            }
            for found in search.found {
                for answer in found.answers {
                    #expect(
                        sample.seen[index].contains { $0.id == answer.id && $0.json == answer.json },
                        "\(comment())", sourceLocation: sourceLocation)
                }
            }
        }
        let opened = try state.openStore(partition: 3, source: .test)
        let store = opened.store
        defer { store.close() }
        let seen = try sample.questions.map { try store.see($0) }
        let outcome: Outcome
        switch opened.opening {
        case .resumed:
            outcome = .resumed
            // Not the lists themselves, which would be printed.
            let isWhole = seen == sample.seen
            #expect(isWhole, "\(comment())", sourceLocation: sourceLocation)
            #expect(store.positions == sample.positions, "\(comment())", sourceLocation: sourceLocation)
        case .created, .rebuilt:
            outcome = opened.opening == .created ? .created : .rebuilt
            #expect(seen.allSatisfy { $0.isEmpty }, "\(comment())", sourceLocation: sourceLocation)
            #expect(store.positions == TablePositions(), "\(comment())", sourceLocation: sourceLocation)
        }
        // In each of these states the store takes changes.
        try store.apply([.forgetAnswers("question-1"), .answer("question-1", "a", "new")])
        #expect(try store.see("question-1").map(\.json) == [Array("new".utf8)], sourceLocation: sourceLocation)
        return outcome
    }

    /// A closed store opens by its seal as long as its file is untouched: the time that opening takes does not grow
    /// with the store. Any touch, be it of the file's rights alone, has it checked whole.
    @Test func aClosedStoreOpensByItsSeal() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test).store
        try store.apply((0..<200).map { .answer("question-\($0)", "answer", "text of answer \($0)") })
        store.close()
        let stores = directory.path + "/partitions/3"
        let file = stores + "/data.mdb"
        guard case .closed(let size, let stamp?, let transactionID) = try StoreSeal.read(in: stores) else {
            Issue.record("not closed")
            return
        }
        // Damage that only the full check sees: a bit of a row, with the stamp of the damaged file in the seal.
        var data = try Data(contentsOf: URL(fileURLWithPath: file))
        let row = try #require(data.range(of: Data("text of answer 44".utf8), options: .backwards))
        data[row.lowerBound] ^= 1
        try data.write(to: URL(fileURLWithPath: file))
        let damaged = try FileSystem.size(of: file).stamp
        #expect(damaged != stamp)
        func verify(_ stamp: FileStamp?, isWhole: Bool = false) throws(StoreDamage) -> StoreMeta {
            try StoreInspection.verify(
                directory: stores, sealedSize: size, stamp: stamp, transactionID: transactionID, isWhole: isWhole)
        }
        #expect(throws: Never.self) { try verify(damaged) }
        #expect(throws: StoreDamage.self) { try verify(damaged, isWhole: true) }
        #expect(throws: StoreDamage.self) { try verify(stamp) }
        #expect(throws: StoreDamage.self) { try verify(nil) }
        try StoreSeal.write(.closed(size: size, stamp: damaged, transactionID: transactionID), in: stores)
        state.unlock()
        #expect(throws: StoreError.self) { try StateDirectoryReader(path: directory.path).verify(3) }
        #expect(chmod(file, 0o640) == 0)
        #expect(throws: StoreDamage.self) { try verify(damaged) }
    }

    /// With a version of LMDB whose pages are not known the rows are checked, by LMDB.
    @Test(arguments: [true, false])
    func rowsAreCheckedByLMDB(isClosed: Bool) throws {
        let sample = try Sample(isClosed: isClosed)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let file = URL(fileURLWithPath: directory.path + "/data.mdb")
        try Data(sample.data).write(to: file)
        let meta = try StoreInspection.readRows(of: StoreLayout.tables, in: directory.path)
        #expect(meta.positions == sample.positions)
        #expect(meta == (try StoreInspection.verify(directory: directory.path)))
        #expect(meta == (try StoreInspection.readRows(of: ["meta"], in: directory.path)))
        // Every copy of a key, as most of them are on pages that are not used any more.
        var data = Data(sample.data)
        while let key = data.range(of: Data("question-44".utf8)) { data[key.lowerBound] = UInt8(ascii: "Q") }
        try data.write(to: file)
        #expect(throws: StoreDamage.self) {
            try StoreInspection.readRows(of: StoreLayout.tables, in: directory.path)
        }
        try Data("noise".utf8).write(to: file)
        #expect(throws: StoreDamage.self) { try StoreInspection.readRows(of: ["meta"], in: directory.path) }
    }

    @Test(arguments: [true, false])
    func undamagedIsResumed(isClosed: Bool) throws {
        let sample = try Sample(isClosed: isClosed)
        #expect(try open(sample, data: sample.data, seal: sample.seal, "untouched") == .resumed)
    }

    @Test(arguments: [true, false])
    func missingFiles(isClosed: Bool) throws {
        let sample = try Sample(isClosed: isClosed)
        #expect(try open(sample, data: nil, seal: nil, "nothing there") == .created)
        #expect(try open(sample, data: nil, seal: sample.seal, "no data") == .rebuilt)
        #expect(try open(sample, data: sample.data, seal: nil, "no seal") == .rebuilt)
        #expect(try open(sample, data: [], seal: sample.seal, "empty data") == .rebuilt)
        #expect(try open(sample, data: sample.data, seal: [], "empty seal") == .rebuilt)
    }

    @Test(arguments: [true, false])
    func truncated(isClosed: Bool) throws {
        let sample = try Sample(isClosed: isClosed)
        var generator = SeededGenerator(7)
        var lengths = (0..<40).map { _ in Int.random(in: 0..<sample.data.count, using: &generator) }
        lengths += [1, 15, 16, 100, 4095, 4096, 4097, 8191, 8192, 8193, sample.data.count - 1]
        lengths += stride(from: 4096, to: sample.data.count, by: 4096 * 7)
        for length in lengths {
            let outcome = try open(sample, data: Array(sample.data[..<length]), seal: sample.seal, "cut to \(length)")
            // The last pages may be free ones, which hold nothing; but a sealed file has its size.
            if isClosed || length < 8192 { #expect(outcome == .rebuilt, "cut to \(length)") }
        }
    }

    @Test(arguments: [true, false])
    func oneByteOff(isClosed: Bool) throws {
        let sample = try Sample(isClosed: isClosed)
        var generator = SeededGenerator(8)
        for _ in 0..<150 {
            let place = Int.random(in: 0..<sample.data.count, using: &generator)
            var data = sample.data
            data[place] ^= UInt8.random(in: 1...255, using: &generator)
            try open(sample, data: data, seal: sample.seal, "byte \(place) of page \(place / 4096)")
        }
    }

    /// LMDB's meta pages have no checksum of their own.
    @Test func everyByteOfTheMetaPages() throws {
        let sample = try Sample(isClosed: false)
        for page in 0..<2 {
            for place in 0..<152 {
                var data = sample.data
                data[page * 4096 + place] ^= 0x41
                try open(sample, data: data, seal: sample.seal, "byte \(place) of meta page \(page)")
            }
        }
    }

    @Test(arguments: [true, false])
    func noise(isClosed: Bool) throws {
        let sample = try Sample(isClosed: isClosed)
        var generator = SeededGenerator(9)
        for seed in 0..<60 {
            var data = sample.data
            let length = [16, 512, 4096, 40_000].randomElement(using: &generator) ?? 16
            let start = Int.random(in: 0..<data.count, using: &generator)
            for place in start..<min(data.count, start + length) {
                data[place] = .random(in: 0...255, using: &generator)
            }
            try open(sample, data: data, seal: sample.seal, "\(length) bytes of noise at \(start), seed \(seed)")
        }
        let noise = (0..<sample.data.count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        #expect(try open(sample, data: noise, seal: sample.seal, "all noise") == .rebuilt)
        #expect(try open(sample, data: sample.data, seal: Array(noise[..<60]), "noise for a seal") == .rebuilt)
        let metaPagesAndNoise = Array(sample.data[..<8192]) + noise[8192...]
        #expect(try open(sample, data: metaPagesAndNoise, seal: sample.seal, "noise after the meta pages") == .rebuilt)
    }

    /// A page in the place of another: every page is whole, and the tree is not.
    @Test(arguments: [true, false])
    func pagesMixedUp(isClosed: Bool) throws {
        let sample = try Sample(isClosed: isClosed)
        var generator = SeededGenerator(10)
        let pages = sample.data.count / 4096
        for seed in 0..<40 {
            var data = sample.data
            let (from, to) = (
                Int.random(in: 2..<pages, using: &generator), Int.random(in: 2..<pages, using: &generator)
            )
            data.replaceSubrange(to * 4096..<to * 4096 + 4096, with: sample.data[from * 4096..<from * 4096 + 4096])
            // With the right number in its header it looks like the page that belongs there.
            if seed % 2 == 0 {
                withUnsafeBytes(of: UInt64(to)) { data.replaceSubrange(to * 4096..<to * 4096 + 8, with: $0) }
            }
            try open(sample, data: data, seal: sample.seal, "page \(from) in the place of \(to)")
            data.replaceSubrange(to * 4096..<to * 4096 + 4096, with: repeatElement(0, count: 4096))
            try open(sample, data: data, seal: sample.seal, "page \(to) zeroed")
        }
    }

    /// A list of free pages that names a page in use would have LMDB overwrite it later.
    @Test func aUsedPageAmongTheFree() throws {
        let sample = try Sample(isClosed: false)
        let file = sample.place.path + "/copy"
        try Data(sample.data).write(to: URL(fileURLWithPath: file))
        let pages = try PageFile(path: file)
        let snapshot = try pages.newestSnapshot()
        var lists: [[UInt64]] = []
        let scan = PageScan(snapshot.freeTree, of: snapshot, in: pages, order: .number)
        try scan.forEachRow { (_, list) throws(StoreDamage) in
            lists.append(Array(list.bindMemory(to: UInt64.self)))
            return true
        }
        let free = Set(lists.flatMap { $0.dropFirst().prefix(Int($0[0])) })
        var tried = 0
        for list in lists where list[0] > 0 {
            guard let used = (list[1]...snapshot.lastPage).first(where: { !free.contains($0) }) else { continue }
            let old = list.withUnsafeBytes { Data($0) }
            let new = ([list[0], used] + list[2...]).withUnsafeBytes { Data($0) }
            var data = Data(sample.data)
            let range = try #require(data.range(of: old))
            data.replaceSubrange(range, with: new)
            #expect(try open(sample, data: Array(data), seal: sample.seal, "page \(used) is not free") == .rebuilt)
            tried += 1
        }
        #expect(tried > 0)
    }

    @Test func aSealOfAnotherStartOfTheMachineIsNotTrusted() throws {
        let sample = try Sample(isClosed: false)
        #expect(try open(sample, data: sample.data, seal: StoreSeal.open(boot: "other").bytes, "boot") == .rebuilt)
        #expect(try open(sample, data: sample.data, seal: StoreSeal.open(boot: nil).bytes, "boot") == .rebuilt)
    }

    @Test(arguments: [StoreLayout.version - 1, StoreLayout.version + 1])
    func otherLayoutsAreRebuilt(layout: UInt32) throws {
        let sample = try Sample(isClosed: true)
        let seal = StoreSeal.bytes(of: "rejoinder-store \(layout) closed 1 1")
        #expect(try open(sample, data: sample.data, seal: seal, "layout \(layout)") == .rebuilt)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try Data(seal).write(to: URL(fileURLWithPath: directory.path + "/seal"))
        #expect(throws: StoreDamage(otherLayout: layout)) { try StoreSeal.read(in: directory.path) }
    }

    @Test func anythingElseInThePartitionsPlaceIsReplaced() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        try Data("noise".utf8).write(to: URL(fileURLWithPath: directory.path + "/partitions/3"))
        let opened = try state.openStore(partition: 3, source: .test)
        guard case .rebuilt = opened.opening else {
            Issue.record("\(opened.opening)")
            return
        }
        opened.store.close()
        // A directory in the data file's place.
        try FileManager.default.removeItem(atPath: directory.path + "/partitions/3/data.mdb")
        try FileManager.default.createDirectory(
            atPath: directory.path + "/partitions/3/data.mdb/x", withIntermediateDirectories: true)
        let second = try state.openStore(partition: 3, source: .test)
        guard case .rebuilt = second.opening else {
            Issue.record("\(second.opening)")
            return
        }
        try second.store.apply([.answer("q", "a", "{}")])
        second.store.close()
    }
}

extension String {
    func withBytes<Result>(_ body: (Bytes) throws -> Result) rethrows -> Result {
        try Array(utf8).withUnsafeBytes { try body($0) }
    }
}
