import Recording
import Testing

@testable import Commands

@Suite struct ClusterReplayOptionsTests {
    @Test func theWayThatWasAskedFor() throws {
        #expect(try ClusterReplayOptions.parse([]).way == nil)
        let publishing = try ClusterReplayOptions.parse([
            "--to-cluster", "--speed", "0.5x", "--topic-prefix", "test.", "--timestamps", "now", "--repartition",
        ])
        #expect(publishing.way == .toCluster)
        #expect(publishing.speed == .recorded(times: 0.5))
        #expect(publishing.timestamps == .now)
        let enriching = try ClusterReplayOptions.parse([
            "--from-cluster", "--from", "-1h", "--to", "+10", "--output-topic", "t", "--as-of", "event",
        ])
        #expect(enriching.way == .fromCluster)
        #expect(enriching.asOf == .event)
        let returning = try ClusterReplayOptions.parse([
            "--dead-letters", "--from", "2024-05-01T09:30:00Z", "--code", "schema", "--code", "too-deep", "--dry-run",
        ])
        #expect(returning.way == .deadLetters)
        #expect(returning.code == ["schema", "too-deep"])
    }

    @Test(arguments: [
        (["--to-cluster", "--from-cluster", "--from", "0", "--output-topic", "t"], "exclude each other"),
        (["--speed", "1x"], "--speed goes with --to-cluster only"),
        (["--to-cluster", "--from", "0"], "--from goes with --from-cluster or --dead-letters only"),
        (["--dead-letters", "--from", "0", "--as-of", "event"], "--as-of goes with --from-cluster only"),
        (["--from-cluster", "--from", "0"], "needs --output-topic"),
        (["--from-cluster", "--output-topic", "t"], "needs --from"),
        (["--dead-letters"], "needs --from"),
        (["--from-cluster", "--from", "0", "--output-topic", "t", "--dry-run"], "--dry-run goes with"),
        (["--dead-letters", "--from", "0", "--rename", "a=b"], "--rename is for a recording"),
        (["--yes-to-live-topics"], "--yes-to-live-topics goes with --to-cluster only"),
        (["--dead-letters", "--from", "0", "--code", "nonsense"], "invalid-json, too-deep, schema"),
        (["--dead-letters", "--from", "yesterday"], "cannot begin at 'yesterday'"),
        (["--dead-letters", "--from", "7", "--to", "7"], "ends before it begins"),
        (["--to-cluster", "--speed", "fast"], "fast"),
    ])
    func whatDoesNotGoTogether(arguments: [String], reason: String) throws {
        do {
            _ = try ClusterReplayOptions.parse(arguments)
            Issue.record("was taken")
        } catch {
            #expect(ClusterReplayOptions.fullMessage(for: error).contains(reason))
        }
    }
}

@Suite struct ClusterReplayReportTests {
    @Test func aPacedReplaySaysHowFarItFellBehind() {
        var summary = ClusterReplay.Summary()
        summary.records = 2
        summary.topics = ["b": 1, "a": 1]
        summary.elapsed = .seconds(61)
        #expect(summary.lines == ["2 records published in 1 min 1 s: 1 to a, 1 to b"])
        summary.planned = .seconds(60)
        #expect(summary.lines.last == "kept its pace: due at 1 min 0 s, there after 1 min 1 s")
        // Sent in time and taken late is late.
        summary.elapsed = .seconds(144)
        summary.behindAtEnd = .seconds(84)
        #expect(
            summary.lines.last
                == "fell behind its pace: every record was sent in time, but the brokers took the last one 1 min 24 s "
                + "after the 1 min 0 s that it was due at")
        summary.elapsed = .seconds(61)
        summary.farthestBehind = .milliseconds(1500)
        summary.behindAtEnd = .seconds(1)
        #expect(
            summary.lines.last
                == "fell behind its pace: by 1.5 s at most; the last record was there 1.0 s after the 1 min 0 s that "
                + "it was due at"
        )
        summary.wasStopped = true
        summary.total = 9
        #expect(summary.lines.first == "stopped: 2 of 9 records published in 1 min 1 s: 1 to a, 1 to b")
    }

    @Test func returnedLettersAreCounted() {
        var summary = DeadLetterReturn.Summary()
        summary.letters = 4
        summary.returned = ["questions": 2]
        summary.returnedBefore = 1
        summary.kept = [.valueOmitted: 1]
        summary.otherCodes = 1
        let lines = summary.lines(isDryRun: false)
        #expect(lines.first == "2 of 4 dead letters published again: 2 to questions")
        #expect(lines.count == 5)
        #expect(lines.last?.contains("twice") == true)
        #expect(summary.lines(isDryRun: true).count == 4)
    }

    @Test func progressSaysWhatIsLeft() {
        let advance = ReplayAdvance(records: 50, total: 200, bytes: 1, elapsed: .seconds(5), behind: .seconds(2))
        #expect(ReplayScreen.text(advance) == "50 of 200 records, 25%, 10/s, 15.0 s left, 2.0 s behind")
    }
}
