import Records
import Testing
import Worker

@testable import Commands
@testable import Throughput

@Suite struct CommandFailureTests {
    private struct Stranger: Error {}

    @Test func settings() {
        let flag = SettingProblem(message: "a", isFromFlag: true)
        let file = SettingProblem(message: "b")
        #expect(CommandFailure(SettingsError(problems: [flag])).status == .usage)
        let both = CommandFailure(SettingsError(problems: [flag, file]))
        #expect(both.status == .configuration)
        #expect(both.lines == ["a", "b"])
    }

    @Test func workerAndRecordErrors() {
        #expect(CommandFailure(WorkerError(.configuration, "x")).status == .configuration)
        #expect(CommandFailure(WorkerError(.brokerUnreachable, "x")).status == .brokerUnreachable)
        #expect(CommandFailure(WorkerError(.stateDirectory, "x")).status == .stateDirectory)
        #expect(CommandFailure(WorkerError(.failed, "x")).lines == ["x"])
        #expect(CommandFailure(RecordError(code: .schema, message: "x")).status == .badData)
    }

    @Test func unknownErrorsAreInternal() {
        #expect(CommandFailure(Stranger()).status == .internalError)
    }

    @Test func failuresStayThemselves() {
        let failure = CommandFailure(.badData, "x")
        #expect(CommandFailure(failure as any Error) == failure)
    }

    @Test func statusesAreTheDocumentedOnes() {
        #expect(ExitStatus.allCases.map(\.rawValue) == [0, 1, 64, 65, 69, 70, 73, 78])
    }

    @Test func theReasonOfAnExitIsALineOfALogInJSON() throws {
        let failure = CommandFailure(.configuration, "admin.port is in use")
        #expect(failure.logLines(isLog: false) == ["rejoinder: admin.port is in use"])
        let line = try #require(failure.logLines(isLog: true).first)
        guard case .event(let note) = LogEntry(line) else {
            Issue.record("a report does not know it: \(line)")
            return
        }
        #expect(note.kind == .trouble && note.level == "error" && note.field("status") == "78")
        #expect(note.message == "ended: admin.port is in use")
    }
}
