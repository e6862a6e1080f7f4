import Foundation
import Testing

@testable import Commands

/// `rejoinder replay` from the command line: files, exit statuses, standard output and standard error.
@Suite struct ReplayCommandTests {
    private struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    private let directory: TemporaryDirectory
    private let examples: [String]

    init() throws {
        directory = try TemporaryDirectory()
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Examples")
        examples = ["answers", "votes", "questions"].map { folder.appendingPathComponent("\($0).jsonl").path }
    }

    private func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("rejoinder")
        process.arguments = ["replay"] + arguments
        let own = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("REJOINDER_") }
        process.environment = own.merging(environment) { $1 }
        process.currentDirectoryURL = URL(fileURLWithPath: directory.path)
        let output = try directory.file("output-\(UUID().uuidString)", Data())
        let errors = try directory.file("errors-\(UUID().uuidString)", Data())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    private func data(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path(name))) }

    /// The samples with one vote the other way round.
    private func changed() throws -> [String] {
        let votes = try String(contentsOfFile: examples[1], encoding: .utf8)
        let vote = #"\"answerId\":\"a-2001\",\"voterId\":\"u-jonas\",\"value\":"#
        #expect(votes.contains(vote + "1"))
        let file = try directory.file("votes.jsonl", Data(votes.replacing(vote + "1", with: vote + "-1").utf8))
        return [examples[0], file, examples[2]]
    }

    @Test("to standard output and to a file: the same bytes")
    func outputs() throws {
        let outcome = try run(examples)
        #expect(outcome.status == 0 && outcome.output.split(separator: "\n").count == 19)
        #expect(outcome.errors.contains("16 enriched, 3 dead letters"))
        #expect(try run(examples + ["-o", "out.jsonl"]).output.isEmpty)
        #expect(try data("out.jsonl") == Data(outcome.output.utf8))
        #expect(try run(examples + ["--only", "dead-letters"]).output.split(separator: "\n").count == 3)
    }

    @Test("equal: one line; one vote changed: status 1, and question, answer and both counts")
    func compared() throws {
        _ = try run(examples + ["-o", "golden.jsonl"])
        let equal = try run(examples + ["--expect", "golden.jsonl"])
        #expect(equal.status == 0 && equal.output == "equal to 'golden.jsonl': 19 records of 17 questions\n")
        #expect(equal.errors.isEmpty)

        let arguments = try changed() + ["--expect", "golden.jsonl"]
        let different = try run(arguments + ["--junit", "report.xml"])
        #expect(different.status == 1)
        #expect(
            different.output
                == """
                question q-4101 (questions.enriched)
                  answer a-2001: voteCount was 3, is 1 (voteLabel was "+4", is "+2")
                  answer a-2001 moved from place 1 to place 2

                """)
        #expect(different.errors.contains("1 of 17 questions differs from 'golden.jsonl'"))
        #expect(String(decoding: try data("report.xml"), as: UTF8.self).contains("tests=\"17\" failures=\"1\""))

        let ignoring = ["answers"].flatMap { ["--ignore", $0] }
        #expect(try run(arguments + ignoring).status == 0)
    }

    @Test("records that follow changes: compared with a golden file, and each question's last record alone")
    func changes() throws {
        // Asked first, then answered and voted on.
        let site = [examples[2], examples[0], examples[1]]
        let following = site + ["--publish-on", "changes"]
        let plain = try run(site).output.split(separator: "\n").count
        _ = try run(following + ["-o", "golden.jsonl"])
        let golden = try data("golden.jsonl").split(separator: 0x0A).count
        #expect(golden > plain)
        let equal = try run(following + ["--expect", "golden.jsonl"])
        #expect(equal.status == 0 && equal.output.hasPrefix("equal to 'golden.jsonl': \(golden) records of "))

        // A vote of another value changes a record that no question event led to; without the mode these are missing.
        let votes = try changed()[1]
        let different = try run([site[0], site[1], votes, "--publish-on", "changes", "--expect", "golden.jsonl"])
        #expect(different.status == 1)
        #expect(different.output.contains("answer a-2001: voteCount was 3, is 1"), "\(different.output)")
        #expect(try run(site + ["--expect", "golden.jsonl"]).status == 1)

        // The last records are the same however long the window is, but for the first change since the last record.
        _ = try run(following + ["--final", "-o", "final.jsonl"])
        #expect(try data("final.jsonl").split(separator: 0x0A).count == 17)
        let often = ["REJOINDER_PUBLISH_COALESCE_MS": "0"]
        let ignored = ["--ignore", "@headers.rejoinder.cause", "--ignore", "@timestamp"]
        let last = try run(following + ["--final", "--expect", "final.jsonl"] + ignored, often)
        #expect(last.status == 0, "\(last.output)")
        #expect(try run(following + ["--expect", "golden.jsonl"] + ignored, often).status == 1)
    }

    @Test("--update writes the golden file, also where there was none")
    func updated() throws {
        #expect(try run(examples + ["--expect", "golden.jsonl"]).status != 0)
        #expect(try run(examples + ["--expect", "golden.jsonl", "--update"]).status == 0)
        #expect(try run(examples + ["--expect", "golden.jsonl"]).status == 0)
        let arguments = try changed() + ["--expect", "golden.jsonl"]
        #expect(try run(arguments + ["--update"]).status == 0)
        #expect(try run(arguments).status == 0)
        #expect(try run(examples + ["--expect", "golden.jsonl"]).status == 1)
    }

    @Test("a broken recording or golden file: its line and what is wrong, status 65, and no output file")
    func broken() throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: examples[2]))
        let cut = try directory.file("cut.jsonl", whole.dropLast(40))
        let lines = String(decoding: whole, as: UTF8.self).split(separator: "\n").count
        let outcome = try run([cut, "-o", "out.jsonl"])
        #expect(outcome.status == 65 && outcome.errors.contains("cut.jsonl, line \(lines): "), "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: path("out.jsonl")))
        let golden = try run([examples[2], "--expect", cut])
        #expect(golden.status == 65 && golden.errors.contains("cut.jsonl, line \(lines): "))
        let empty = try directory.file("empty.jsonl", Data())
        #expect(try run([empty]).status == 65)
    }

    @Test("topics by other names")
    func names() throws {
        let text = try examples.map { try String(contentsOfFile: $0, encoding: .utf8) }.joined()
        let file = try directory.file(
            "prod.jsonl", Data(text.replacing(#"{"topic":""#, with: #"{"topic":"prod."#).utf8))
        let lost = try run([file])
        #expect(lost.status == 65 && lost.errors.contains("--recorded-prefix"))
        let expected = try run(examples).output
        #expect(try run([file, "--recorded-prefix", "prod."]).output == expected)
        let renamed = try run(
            [file],
            [
                "REJOINDER_TOPICS_QUESTIONS": "prod.questions", "REJOINDER_TOPICS_ANSWERS": "prod.answers",
                "REJOINDER_TOPICS_VOTES": "prod.votes",
            ])
        #expect(renamed.output.split(separator: "\n").count == 19)
    }

    @Test(
        "flags that do not go together are usage errors",
        arguments: [
            [], ["f", "--update"], ["f", "--junit", "x"], ["f", "--ignore", "a"],
            ["f", "--expect", "g", "--ignore", "a[x]"],
            ["f", "--to-cluster", "--expect", "g"], ["f", "--from-cluster", "--from", "-1h", "--output-topic", "t"],
            ["f", "--only", "nothing"], ["-", "--tables-first"], ["f", "--start-state", ""],
        ])
    func usage(arguments: [String]) throws {
        let outcome = try run(arguments)
        #expect(outcome.status == 64 || arguments.contains("--start-state"), "\(outcome.errors)")
        #expect(outcome.status != 0 && !outcome.errors.isEmpty)
    }

    @Test("no file that is read is written over, by whatever name")
    func nothingIsDestroyed() throws {
        let recording = try directory.file("site.jsonl", try Data(contentsOf: URL(fileURLWithPath: examples[2])))
        let before = try data("site.jsonl")
        try FileManager.default.createSymbolicLink(atPath: path("link.jsonl"), withDestinationPath: recording)
        #expect(link(recording, path("hard.jsonl")) == 0)
        _ = try run([recording, "-o", "golden.jsonl"])
        let golden = try data("golden.jsonl")
        for arguments in [
            [recording, "-o", "site.jsonl"], [recording, "-o", "./link.jsonl"], [recording, "-o", "hard.jsonl"],
            [examples[0], recording, "-o", "site.jsonl"], [recording, "--expect", "site.jsonl", "--update"],
            [recording, "--expect", "golden.jsonl", "-o", "golden.jsonl"],
            [recording, "--expect", "golden.jsonl", "--junit", "site.jsonl"],
            [recording, "--expect", "golden.jsonl", "--update", "-o", "golden.jsonl"],
            [recording, "--expect", "golden.jsonl", "--update", "-o", "site.jsonl"],
        ] {
            let outcome = try run(arguments)
            #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
            #expect(try data("site.jsonl") == before && data("golden.jsonl") == golden)
        }
    }

    @Test("a missing golden file, and a path to ignore that nothing has, are said")
    func comparisonsThatCompareLess() throws {
        let missing = try run(examples + ["--expect", "none.jsonl"])
        #expect(missing.status == 64 && missing.errors.contains("--update"), "\(missing.errors)")
        _ = try run(examples + ["-o", "golden.jsonl"])
        let typo = try run(examples + ["--expect", "golden.jsonl", "--ignore", "answers[].anwser.author"])
        #expect(typo.status == 0 && typo.errors.contains("'answers[].anwser.author'"), "\(typo.errors)")
        let right = try run(examples + ["--expect", "golden.jsonl", "--ignore", "answers[].answer.author"])
        #expect(right.status == 0 && right.errors.isEmpty, "\(right.errors)")
    }

    @Test("a topic that has no record while others were passed over is said, compared or written")
    func topicsThatDoNotMatch() throws {
        let answers = try String(contentsOfFile: examples[0], encoding: .utf8)
            .replacing(#"{"topic":"answers""#, with: #"{"topic":"prod.answers""#)
        let file = try directory.file("answers.jsonl", Data(answers.utf8))
        let outcome = try run([file, examples[1], examples[2], "-o", "out.jsonl"])
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("warning: no record is of answers, and"), "\(outcome.errors)")
        #expect(outcome.errors.contains("(prod.answers)"), "\(outcome.errors)")
        #expect(try run([file, examples[1], examples[2], "--expect", "out.jsonl"]).errors.contains("prod.answers"))
        let renamed = try run([file, examples[1], examples[2], "--rename", "prod.="])
        #expect(renamed.output == (try run(examples)).output)
    }
}
