import Foundation
import Records
import Testing

@testable import AnswerStore

@Suite struct StateDirectoryTests {
    @Test func makesWhatIsMissing() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path + "/deep er/dïr"
        let state = try StateDirectory(path: path)
        #expect(state.path == path)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: path).sorted() == ["identity", "lock", "partitions"])
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o700)
    }

    @Test func identityStaysUntilItIsDamaged() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        func identity() throws -> String { try StateDirectory(path: directory.path).identity }
        let first = try identity()
        #expect(first.wholeMatch(of: /[0-9a-f]{12}/) != nil)
        #expect(try identity() == first)
        let file = URL(fileURLWithPath: directory.path + "/identity")
        for damage in ["", "\n", "0123456789a\n", "0123456789abc\n", "0123456789AB\n", "0123456789ab", "ünïcodeïs\n"] {
            try Data(damage.utf8).write(to: file)
            let next = try identity()
            #expect(next.wholeMatch(of: /[0-9a-f]{12}/) != nil, "after '\(damage)'")
            #expect(try identity() == next)
        }
        try FileManager.default.removeItem(at: file)
        try FileManager.default.createDirectory(at: file, withIntermediateDirectories: true)
        #expect(try identity() != first)
        // Another directory, another worker.
        let other = try TemporaryDirectory()
        defer { other.remove() }
        #expect(try StateDirectory(path: other.path).identity != first)
    }

    @Test func aSecondUserIsRefusedUntilTheFirstIsDone() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let first = try StateDirectory(path: directory.path)
        let error = #expect(throws: StateDirectoryError.self) { try StateDirectory(path: directory.path) }
        #expect(error?.kind == .inUse(pid: ProcessInfo.processInfo.processIdentifier))
        #expect(error?.description.contains(directory.path) == true)
        #expect(error?.description.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
        first.unlock()
        first.unlock()
        #expect(throws: StoreError.self) { try first.openStore(partition: 0, source: .test) }
        _ = try StateDirectory(path: directory.path)
    }

    @Test func aSecondProcessIsRefused() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let (path, pid) = (directory.path, ProcessInfo.processInfo.processIdentifier)
        let state = try StateDirectory(path: path)
        await #expect(processExitsWith: .success) { [path = path as String, pid = pid as Int32] in
            do {
                _ = try StateDirectory(path: path)
                exit(1)
            } catch {
                exit((error as? StateDirectoryError)?.kind == .inUse(pid: pid) ? EXIT_SUCCESS : 2)
            }
        }
        state.unlock()
    }

    @Test func aDeadProcessHoldsNothing() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let state = try StateDirectory(path: path)
            let store = try state.openStore(partition: 3, source: .test).store
            try store.apply([.answer("q", "a", "{}"), .cast("q", "a", voter: "v", 1)])
            kill(getpid(), SIGKILL)
        }
        let state = try StateDirectory(path: path)
        let opened = try state.openStore(partition: 3, source: .test)
        #expect(opened.opening == .resumed)
        #expect(opened.store.positions == TablePositions(answers: 1, votes: 1))
        #expect(try opened.store.see("q").map(\.voteCount) == [1])
        opened.store.close()
    }

    @Test func somethingElseThanADirectory() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let file = directory.path + "/file"
        try Data("x".utf8).write(to: URL(fileURLWithPath: file))
        for path in [file, file + "/below"] {
            let error = #expect(throws: StateDirectoryError.self) { try StateDirectory(path: path) }
            #expect(error?.kind == .notADirectory)
            #expect(error?.description.contains("'\(path)'") == true)
        }
        #expect(throws: StateDirectoryError.self) { try StateDirectory(path: "") }
    }

    @Test func aPlaceThatCannotBeWrittenTo() throws {
        // In /proc no user can make directories, not even root.
        let error = #expect(throws: StateDirectoryError.self) { try StateDirectory(path: "/proc/rejoinder") }
        #expect(error?.description.contains("'/proc/rejoinder'") == true)
    }

    @Test func storesOpenOnceInAProcess() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let first = try state.openStore(partition: 0, source: .test)
        let error = #expect(throws: StoreError.self) { try state.openStore(partition: 0, source: .test) }
        #expect(error?.kind == .alreadyOpen)
        let other = try state.openStore(partition: 1, source: .test)
        first.store.close()
        first.store.close()
        try state.openStore(partition: 0, source: .test).store.close()
        other.store.close()
    }

    @Test func anotherSourceMeansAnotherStore() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        #expect(try state.openStore(partition: 3, source: .test).opening == .created)
        var sources = [StoreSource.test]
        for change in [
            { $0.clusterID = "other" }, { $0.answersTopic = "a2" }, { $0.votesTopic = "v2" }, { $0.partition = 4 },
        ] as [(inout StoreSource) -> Void] {
            var source = StoreSource.test
            change(&source)
            sources.append(source)
        }
        for source in sources {
            let opened = try state.openStore(partition: 3, source: source)
            if source == .test {
                #expect(opened.opening == .resumed)
            } else if case .rebuilt(let reason) = opened.opening {
                #expect(reason.contains("it was filled from"))
            } else {
                Issue.record("\(source): \(opened.opening)")
            }
            try opened.store.apply([.answer("q", "a", "{}")])
            opened.store.close()
        }
    }
}
