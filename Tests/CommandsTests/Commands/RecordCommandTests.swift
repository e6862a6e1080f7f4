import ArgumentParser
import KafkaClient
import Recording
import Testing

@testable import Commands

@Suite struct RecordCommandTests {
    @Test func boundsMayBeginWithAMinus() throws {
        let command = try #require(
            try Rejoinder.parseAsRoot(
                ["record", "--from", "-1h", "--to", "+100", "-o", "-", "--match", "-x", "--redact", "body"])
                as? RecordCommand)
        #expect(command.from == "-1h")
        #expect(command.to == "+100")
        #expect(command.output == "-")
        #expect(command.match == ["-x"])
        #expect(command.redact == ["body"])
        #expect(command.topics == nil)
    }

    @Test func valuesThatBeginWithAMinusAreTiedToTheirFlags() throws {
        #expect(
            try ArgumentValues.tied(["record", "--from", "-1h", "--to", "+5", "-o", "-", "--", "--from", "-1h"])
                == ["record", "--from=-1h", "--to", "+5", "-o", "-", "--", "--from", "-1h"])
        #expect(try ArgumentValues.tied(["--kafka", "a=b", "-h"]) == ["--kafka", "a=b", "-h"])
        #expect(throws: ValidationError.self) { try ArgumentValues.tied(["record", "-30m"]) }
    }

    @Test func sizes() {
        #expect(RecordCommand.bytes("500kB") == 500_000)
        #expect(RecordCommand.bytes("1GB") == 1_000_000_000)
        #expect(RecordCommand.bytes("7") == 7)
        for text in ["", "MB", "0", "-1", "1TB", "1.5GB", "99999999999999999GB"] {
            #expect(RecordCommand.bytes(text) == nil, "\(text)")
        }
    }

    @Test func gapsAndOpenTransactionsAreSaid() {
        let place = TopicPartition(topic: "questions", partition: 3)
        let hole = WindowHole(partition: place, offsets: 363..<49_000, cause: .deleted)
        #expect(
            hole.description
                == "offsets 363 to 48999 of questions [3] were deleted by the broker (retention) before they were read")
    }

    @Test func statusesOfRecordings() {
        #expect(CommandFailure(RecordingError(.content, path: "x", line: 3, reason: "y")).status == .badData)
        #expect(CommandFailure(RecordingError(.content, path: "x", line: 3, reason: "y")).lines == ["x, line 3: y"])
        #expect(CommandFailure(RecordingError(.unopened, path: "x", reason: "y")).status == .usage)
        #expect(CommandFailure(RecordingError(.io, path: "x", reason: "y")).status == .internalError)
        #expect(CommandFailure(CaptureError(.usage, "x")).status == .usage)
        #expect(CommandFailure(CaptureError(.configuration, "x")).status == .configuration)
        #expect(CommandFailure(CaptureError(.brokerUnreachable, "x")).status == .brokerUnreachable)
    }

    @Test func progressSaysHowLong() {
        func text(_ passed: Int64, of all: Int64?, limit: Int64? = nil) -> String {
            let progress = CaptureProgress(
                records: 2_000, bytes: 54_321_000, offsetsPassed: passed, offsetsInAll: all, limit: limit)
            return CaptureReport.progress(progress, after: .seconds(10))
        }
        #expect(text(2_000, of: 8_000) == "2000 records, 54.3 MB, 200 records/s, 25%, 30 s left")
        #expect(text(2_000, of: nil) == "2000 records, 54.3 MB, 200 records/s")
        #expect(text(2_000, of: 1_000_000, limit: 4_000) == "2000 records, 54.3 MB, 200 records/s, 50%, 10 s left")
        #expect(text(0, of: 8_000_000) == "2000 records, 54.3 MB, 200 records/s, 0%")
        #expect(text(2, of: 100) == "2000 records, 54.3 MB, 200 records/s, 2%, 8 min left")
    }
}
