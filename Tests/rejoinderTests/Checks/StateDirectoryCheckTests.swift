import AnswerStore
import Foundation
import Testing

@testable import rejoinder

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

    @Test func aFile() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.file("text")
        #expect(StateDirectoryCheck.run(path: file).outcome == .fail)
        #expect(StateDirectoryCheck.run(path: file + "/below").outcome == .fail)
    }
}
