import AnswerStore
import Foundation
import Testing

@testable import Commands

@Suite struct StateDirectoryCheckTests {
    @Test func oneThatIsNotThereIsNotMade() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/a/b"
        #expect(StateDirectoryCheck.run(path: path).outcome == .ok)
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/a"))
    }

    @Test func oneInUse() throws {
        let directory = try TemporaryDirectory()
        let held = try StateDirectory(path: directory.path)
        let result = StateDirectoryCheck.run(path: directory.path)
        #expect(result.outcome == .fail)
        #expect(result.matter == .stateDirectory)
        #expect(result.finding.contains("in use"))
        held.unlock()
        #expect(StateDirectoryCheck.run(path: directory.path).outcome == .ok)
        // The check has given it back.
        try StateDirectory(path: directory.path).unlock()
    }

    @Test func storesAreReadToTheLastByte() throws {
        let directory = try TemporaryDirectory()
        #expect(StateDirectoryCheck.stores(path: directory.path + "/none").isEmpty)
        let state = try StateDirectory(path: directory.path)
        for partition: Int32 in [0, 1] {
            try state.openStore(
                partition: partition,
                source: StoreSource(clusterID: "c", answersTopic: "a", votesTopic: "v", partition: partition)
            ).store.close()
        }
        #expect(StateDirectoryCheck.stores(path: directory.path).map(\.outcome) == [.skipped], "it is in use")
        state.unlock()
        #expect(StateDirectoryCheck.stores(path: directory.path).map(\.outcome) == [.ok, .ok])
        let file = URL(fileURLWithPath: directory.path + "/partitions/1/data.mdb")
        var data = try Data(contentsOf: file)
        let row = try #require(data.range(of: Data("store".utf8), options: .backwards))
        data[row.upperBound + 20] ^= 1
        try data.write(to: file)
        let results = StateDirectoryCheck.stores(path: directory.path)
        #expect(results.map(\.outcome) == [.ok, .fail])
        #expect(results.last?.finding.contains("partitions/1") == true)
    }

    @Test func aFile() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.file("text")
        #expect(StateDirectoryCheck.run(path: file).outcome == .fail)
        #expect(StateDirectoryCheck.run(path: file + "/below").outcome == .fail)
    }
}
