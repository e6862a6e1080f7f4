import Admin
import ArgumentParser
import Foundation
import Logging

/// `rejoinder demo`
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Enriches the sample questions on an embedded broker and shows the result.",
        discussion: """
            Needs nothing but this program and the sample recordings: an embedded broker is started in the process, \
            the recordings are published to its topics, the worker that 'run' runs works through them, and what it \
            published is read back and shown. It takes some seconds: a consumer group waits a little for further \
            members.

            Example:
              rejoinder demo
              rejoinder demo --json | jq .answerCount
            """)

    @Flag(help: "Print the enriched records' bytes, one record a line.")
    var json = false

    @Option(help: ArgumentHelp("Folder of the sample recordings.", valueName: "folder"))
    var examples: String?

    @Flag(help: "Show the worker's log on standard error.")
    var verbose = false

    func run() async throws {
        let level: Logger.Level = verbose ? .info : .error
        let logger = Logger(label: "demo") { LineLogHandler(label: $0, level: level, format: .text) }
        let demo = Demo(examples: try folder(), logger: logger)
        let result = try await demo.run()
        let output = LineWriter.standardOutput
        if json {
            for record in result.enriched {
                output.write(record.value.map { String(decoding: $0, as: UTF8.self) } ?? "null")
            }
            return
        }
        for record in result.enriched { output.write(try Self.page(of: record)) }
        output.write(result.totals)
        output.write("\nA question before and after its first answer, with publish.on: changes:")
        for record in result.firstAnswer { output.write(try Self.page(of: record)) }
    }

    /// The samples' folder: as given, else in the current folder, else beside the build or the installation.
    private func folder() throws(CommandFailure) -> URL {
        if let examples { return URL(fileURLWithPath: examples, isDirectory: true) }
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        let places = [
            URL(fileURLWithPath: "Examples", isDirectory: true),
            program.appendingPathComponent("../../../Examples").standardizedFileURL,
            program.appendingPathComponent("../share/rejoinder/Examples").standardizedFileURL,
        ]
        for place in places
        where FileManager.default.fileExists(atPath: place.appendingPathComponent("questions.jsonl").path) {
            return place
        }
        throw CommandFailure(
            .usage,
            "the sample recordings are in none of \(places.map(\.path).joined(separator: ", ")); name their folder "
                + "with --examples")
    }

    private static func page(of record: Demo.Output) throws -> String {
        guard let value = record.value else { return "\n\(record.key): deleted\n" }
        return EnrichedPage(question: try JSONDecoder().decode(EnrichedQuestion.self, from: Data(value))).text
    }
}
