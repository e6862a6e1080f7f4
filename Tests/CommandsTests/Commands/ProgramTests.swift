import Foundation
import Testing

@testable import Commands

/// The program itself: exit statuses, and the division between standard output and standard error.
@Suite struct ProgramTests {
    private struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Runs the program that was built with the tests, in an environment with nothing of ours but `environment`.
    private func run(_ arguments: [String], _ environment: [String: String] = [:], input: String = "") throws -> Outcome
    {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("rejoinder")
        process.arguments = arguments
        let own = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("REJOINDER_") }
        process.environment = own.merging(environment) { $1 }
        let directory = try TemporaryDirectory()
        process.currentDirectoryURL = URL(fileURLWithPath: directory.path)
        process.standardInput = try FileHandle(
            forReadingFrom: URL(fileURLWithPath: try directory.file("input", Data(input.utf8))))
        let output = try directory.file("output", Data())
        let errors = try directory.file("errors", Data())
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        return Outcome(
            status: process.terminationStatus, output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }

    @Test func version() throws {
        let outcome = try run(["--version"])
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("rejoinder \(ProductVersion.number) (librdkafka "))
    }

    @Test(arguments: [
        ["--help"], ["config", "--help"], ["check", "--help"], ["topics", "create", "--help"],
        ["load", "--help"], ["show", "--help"], ["run", "--help"], ["replay", "--help"],
        ["health", "--help"],
    ])
    func help(arguments: [String]) throws {
        let outcome = try run(arguments)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains(arguments.count > 1 ? "Example:" : "SUBCOMMANDS"))
        #expect(outcome.errors.isEmpty)
    }

    @Test func configShowsTheEnvironment() throws {
        let outcome = try run(
            ["config"], ["REJOINDER_LANES": "7", "REJOINDER_KAFKA_PROPERTIES_SASL_PASSWORD": "hunter2"])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("lanes: 7"))
        #expect(outcome.output.contains("REJOINDER_LANES"))
        #expect(!outcome.output.contains("hunter2"))
    }

    @Test(
        arguments: [
            (["nonsense"], 64), (["config", "--lanes"], 64), (["config", "--lanes", "0"], 64),
            (["config", "--config", "/nowhere.yaml"], 78), (["load", "questions", "/nowhere"], 64),
            (["load", "things", "-"], 64), (["topics", "create", "--partitions", "0"], 64),
            (["show", "q", "--state-dir", "/nowhere"], 73), (["load", "questions", "-"], 65),
            // '-1h' is no '-1 -h': a usage error stays one.
            (["record", "--from", "-1h"], 64), (["record", "-1h", "-o", "x"], 64),
            (["replay", "--dead-letters", "--from", "-1h", "--code", "typo"], 64),
            (["replay", "--from-cluster", "--from", "-1h", "--to", "-1h"], 64),
            (["record", "-o", "x", "--match", "-h", "--sample", "1%"], 64),
            (["health", "--url", "https://x"], 64), (["health", "--url", "http://127.0.0.1:1"], 69),
        ] as [([String], Int32)])
    func statuses(arguments: [String], status: Int32) throws {
        let outcome = try run(arguments, input: "nonsense\n")
        #expect(outcome.status == status, "\(outcome.errors)")
        #expect(!outcome.errors.isEmpty)
        #expect(outcome.output.isEmpty)
    }

    @Test func allProblemsOnePerLine() throws {
        let outcome = try run(
            ["config"], ["REJOINDER_LANES": "0", "REJOINDER_LANE": "1", "REJOINDER_LOG_LEVEL": "loud"])
        #expect(outcome.status == 78)
        #expect(outcome.errors.split(separator: "\n").count == 3)
    }

    @Test func badLinesAreNamedAndNothingIsPublished() throws {
        let outcome = try run(["load", "questions", "-"], input: "{\"id\":\"a\",\"title\":\"t\"}\n{\"id\":\"b\"}\n")
        #expect(outcome.status == 65)
        #expect(outcome.errors.contains("standard input, line 2: schema: "))
        #expect(outcome.errors.contains("nothing was published"))
    }

    @Test func nothingToLoadNeedsNoBroker() throws {
        let outcome = try run(["load", "votes", "-"], input: "\n\n")
        #expect(outcome.status == 0)
        #expect(outcome.output == "0 records loaded into votes\n")
    }
}
