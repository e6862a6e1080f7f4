import ArgumentParser
import Foundation
import KafkaClient
import Recording
import Worker

/// `rejoinder record`
struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Copies a window of topics into a file that 'rejoinder replay' reads.",
        discussion: """
            The file has one record a line, in the envelope that 'kcat -J' prints; a name that ends with .gz or .zst packs \
            it. Records are in one order that is the same on every run: by timestamp, then topic, partition and offset, a \
            partition's records always in their own order. Null, empty and binary keys and values come back as they were.

            The window is looked up once, when the command starts, and it ends by itself. --from takes beginning, an offset \
            (of each partition), a time (2024-05-01T09:30:00Z or milliseconds since 1970) or a time ago (-30m, -1h, -2d); \
            --to takes end (what is there at the start), the same, or +1000: so many records in all, in the file's order. \
            A number of twelve digits or more is a time; offset:N is an offset whatever its size. What stands at --to is \
            not in the file any more. A time means the first record of a partition that is not older, and what follows it.

            It joins no group and commits nothing: the worker's consumer group is not touched. Only committed records are \
            read (--kafka isolation.level=read_uncommitted reads all).

            --redact replaces letters and digits of a JSON string field by others of the same kind, the same text by the \
            same text: 'displayName' names every field of this name, 'author.displayName' those in an author. Lengths and \
            all other bytes stay. It does not make guessing impossible, and it leaves keys, headers and numbers as they are; \
            look the file over before you give it away. Of a value that is no JSON, all letters and digits are replaced.

            Status 65 if the window holds no record: no file is written then.

            Example:
              rejoinder record --from -1h -o incident.jsonl.zst --bootstrap-servers localhost:9092
              rejoinder record --match q-4711 -o case.jsonl --redact body --redact author.displayName
            """)

    @Option(name: .long, help: ArgumentHelp("Topics; the three that 'run' reads by default.", valueName: "name,..."))
    var topics: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Where the window begins.", valueName: "beginning|offset|time|-1h"))
    var from: String = "beginning"

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Where the window ends; the default is end.", valueName: "end|offset|time|+n"))
    var to: String?

    @Option(name: [.customShort("o"), .long], help: ArgumentHelp("The file; - is standard output.", valueName: "file"))
    var output: String

    @Flag(help: "Go on with what comes until SIGINT or SIGTERM; then the file is finished.")
    var follow = false

    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only records with this key (a question id); may be repeated.", valueName: "id"))
    var match: [String] = []

    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Replace the text of this JSON field; may be repeated.", valueName: "field"))
    var redact: [String] = []

    @OptionGroup(title: "Settings")
    var options: SettingsOptions

    func run() throws {
        let settings = try options.settings()
        let redaction = redact.isEmpty ? nil : Redaction(try redact.map { try RedactedField($0) })
        if follow, to != nil {
            throw CommandFailure(
                .usage, "--follow goes on until it is stopped, so --to has no meaning; leave one of them out.")
        }
        let capture = Capture(
            topics: try topicNames(settings),
            window: try Window(from: WindowBound(from: from), to: WindowBound(to: to ?? "end")),
            isFollowing: follow, keys: match.map { Array($0.utf8) }, properties: settings.clientProperties,
            groupID: settings.groupID,
            logger: settings.logger("record", atLeast: .warning),
            // What matters of librdkafka's messages comes back as an error.
            clientLogger: settings.logger("record", atLeast: .critical))
        let signals = StopOnSignal()
        if try record(capture, redaction, signals.stop) == false {
            LogWriter.standardError.say("rejoinder: stopped before the window's end; nothing was written.")
            signals.endProcess()
        }
    }

    /// - Returns: false when it was stopped before the window's end; nothing is left of the file then.
    private func record(_ capture: Capture, _ redaction: Redaction?, _ stop: StopSignal) throws -> Bool {
        let writer = try RecordingWriter(path: output)
        let line = ProgressLine()
        defer { line.end() }
        let began = ContinuousClock.now
        let summary = try capture.run(
            into: writer, redaction: redaction, isStopped: { stop.isRequested },
            progress: { progress in
                line.show { CaptureReport.progress(progress, after: ContinuousClock.now - began) }
            })
        line.end()
        guard follow || !summary.wasStopped else { return false }
        guard summary.recordCount > 0 else {
            throw CommandFailure(.badData, CaptureReport.nothing(capture, matching: match))
        }
        try writer.finish()
        for sentence in CaptureReport.lines(summary, file: writer.name, size: writer.bytesWritten, redaction: redaction)
        {
            LogWriter.standardError.say(sentence)
        }
        return true
    }

    private func topicNames(_ settings: Settings) throws(CommandFailure) -> [String] {
        guard let topics else { return settings.topics.inputs }
        var names: [String] = []
        for name in topics.split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces) })
        where !name.isEmpty && !names.contains(name) {
            names.append(name)
        }
        guard !names.isEmpty else {
            throw CommandFailure(.usage, "--topics names no topic; write --topics questions,answers.")
        }
        return names
    }
}
