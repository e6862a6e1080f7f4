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
            The file has one record a line, in the envelope that 'kcat -J' prints; a name that ends with .gz or .zst \
            packs it. Records are in one order that is the same on every run: by timestamp, then topic, partition and \
            offset, a partition's records always in their own order. Null, empty and binary keys and values come back \
            as they were.

            The window is looked up once, when the command starts, and it ends by itself. --from takes beginning, an \
            offset (of each partition), a time (2024-05-01T09:30:00Z or milliseconds since 1970) or a time ago (-30m, \
            -1h, -2d); --to takes end (what is there at the start), the same, or +1000: so many records in all, in the \
            file's order. A number of twelve digits or more is a time; offset:N is an offset whatever its size. What \
            stands at --to is not in the file any more. A time means the first record of a partition that is not \
            older, and what follows it.

            It joins no group and commits nothing: the worker's consumer group is not touched. Only committed records \
            are read (--uncommitted reads all, those of open and aborted transactions too).

            --follow goes on with what comes, also in partitions that the topics get meanwhile, until SIGINT, SIGTERM \
            or SIGHUP, or as long as --for says; it waits for brokers without limit. At every moment the file can be \
            read up to a second before.

            --redact replaces letters and digits of a JSON string field by others of the same kind, the same text by \
            the same text: 'displayName' names every field of this name, 'author.displayName' those in an author. \
            Lengths and all other bytes stay. Of ids (names that end with 'id'), two never become one, and integers \
            are replaced too. It does not make guessing impossible, and it leaves keys, headers and other numbers as \
            they are; look the file over before you give it away. Of a value that is no JSON, all letters and digits \
            are replaced.

            Status 65 if the window holds no record: no file is written then. Status 65, too, if the brokers deleted \
            records of the window before they were read: the file is there, without them. When brokers or disk fail, \
            what was read is kept: with --follow under the file's name, else with '.partial' in the name, which \
            'replay' reads too.

            Example:
              rejoinder record --from -1h -o incident.jsonl.zst --bootstrap-servers localhost:9092
              rejoinder record --match q-4711 -o case.jsonl --redact body --redact author.displayName
              rejoinder record --from end --for 10m --sample 1% --rename prod.=test. -o sample.jsonl.zst
            """)

    @Option(name: .long, help: ArgumentHelp("Topics; the three that 'run' reads by default.", valueName: "name,..."))
    var topics: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Where the window begins.", valueName: "beginning|end|offset|time|-1h"))
    var from: String = "beginning"

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Where the window ends; the default is end.", valueName: "end|offset|time|+n"))
    var to: String?

    @Option(name: [.customShort("o"), .long], help: ArgumentHelp("The file; - is standard output.", valueName: "file"))
    var output: String

    @Flag(help: "Go on with new records until SIGINT, SIGTERM or SIGHUP; then the file is finished.")
    var follow = false

    @Option(name: .customLong("for"), help: ArgumentHelp("Follow for this long: 90s, 10m, 2h.", valueName: "time"))
    var duration: String?

    @Option(
        name: .long,
        help: ArgumentHelp("End once so much of keys and values is written: 500kB, 20MB, 1GB.", valueName: "size"))
    var maxBytes: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Only this share of the questions, with their answers and votes: 1%.", valueName: "share"))
    var sample: String?

    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Write topics that begin with OLD as beginning with NEW; may be repeated.", valueName: "old=new"))
    var rename: [String] = []

    @Flag(help: "Read the records of open and aborted transactions too.")
    var uncommitted = false

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
        let follows = follow || duration != nil
        if follows, to != nil {
            throw CommandFailure(
                .usage, "--follow and --for go on with new records, so --to has no meaning; leave one of them out.")
        }
        let capture = try capture(settings, isFollowing: follows)
        let signals = StopOnSignal()
        if try record(capture, redaction, signals.stop) == false {
            LogWriter.standardError.say("rejoinder: stopped before the window's end; nothing was written.")
            signals.endProcess()
        }
    }

    private func capture(_ settings: Settings, isFollowing: Bool) throws -> Capture {
        var properties = settings.clientProperties
        if uncommitted { properties["isolation.level"] = "read_uncommitted" }
        var capture = Capture(
            topics: try topicNames(settings),
            window: try Window(from: WindowBound(from: from), to: WindowBound(to: to ?? "end")),
            isFollowing: isFollowing, keys: match.map { Array($0.utf8) }, properties: properties,
            groupID: settings.groupID,
            logger: settings.logger("record", atLeast: .warning),
            // librdkafka's failures come back as errors, so its messages are not logged.
            clientLogger: settings.logger("record", atLeast: .critical))
        capture.renaming = try TopicRenaming(rename)
        if let duration {
            guard let milliseconds = WindowBound.duration(duration[...]), milliseconds > 0 else {
                throw CommandFailure(
                    .usage, "--for is \(Printable.quoted(duration)); say a time such as 90s, 10m or 2h.")
            }
            capture.duration = .milliseconds(milliseconds)
        }
        if let maxBytes {
            guard let bytes = Self.bytes(maxBytes) else {
                throw CommandFailure(
                    .usage, "--max-bytes is \(Printable.quoted(maxBytes)); say a size such as 500kB, 20MB or 1GB.")
            }
            capture.maxBytes = bytes
        }
        if let sample {
            guard match.isEmpty else {
                throw CommandFailure(.usage, "--sample and --match both choose questions; leave one of them out.")
            }
            guard let share = KeySample(sample) else {
                throw CommandFailure(
                    .usage, "--sample is \(Printable.quoted(sample)); say a share of the questions such as 1% or 0.1%.")
            }
            capture.sample = share
        }
        return capture
    }

    /// "20MB" in bytes; nil: not a size.
    static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units = ["": 1, "B": 1, "kB": 1_000, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000]
        guard let number = Int(digits), number > 0, let unit = units[String(text.dropFirst(digits.count))] else {
            return nil
        }
        let (bytes, overflows) = number.multipliedReportingOverflow(by: unit)
        return overflows ? nil : bytes
    }

    /// - Returns: false when it was stopped before the window's end; then no file is left.
    private func record(_ capture: Capture, _ redaction: Redaction?, _ stop: StopSignal) throws -> Bool {
        let writer = try RecordingWriter(path: output, hasManifest: true)
        let line = ProgressLine()
        defer { line.end() }
        let began = ContinuousClock.now
        let summary = try capture.run(
            into: writer, redaction: redaction, isStopped: { stop.isRequested },
            progress: { progress in
                line.show { CaptureReport.progress(progress, after: ContinuousClock.now - began) }
            })
        line.end()
        let manifest = RecordingManifest(
            capture, summary, window: .init(from: from, to: capture.isFollowing ? nil : to ?? "end"),
            redaction: redaction, rejoinder: ProductVersion.number)
        if case .failed(let error) = summary.end { throw broken(off: writer, by: error, capture, summary, manifest) }
        guard capture.isFollowing || !summary.wasStopped else { return false }
        guard summary.recordCount > 0 else {
            throw CommandFailure(
                .badData,
                lines: [CaptureReport.nothing(capture, matching: match)] + CaptureReport.warnings(summary))
        }
        do {
            try writer.finish(manifest)
        } catch {
            throw broken(off: writer, by: error, capture, summary, manifest)
        }
        for sentence in CaptureReport.lines(summary, file: writer.name, size: writer.bytesWritten, redaction: redaction)
        {
            LogWriter.standardError.say(sentence)
        }
        if !summary.holes.isEmpty {
            throw CommandFailure(.badData, CaptureReport.holes(summary, file: writer.name))
        }
        return true
    }

    /// The report of a recording cut short by an error, with the file that keeps the records read so far.
    private func broken(
        off writer: RecordingWriter, by error: any Error, _ capture: Capture, _ summary: CaptureSummary,
        _ manifest: RecordingManifest
    ) -> CommandFailure {
        var failure = CommandFailure(error)
        // A follower's file is complete up to its last record. A window cut short must not pass for a complete one.
        if let kept = writer.keep(named: capture.isFollowing, capture.isFollowing ? manifest : nil) {
            failure.lines.append(
                "\(kept.recordCount) of the \(writer.recordCount) records that were read before are kept in "
                    + "\(kept.name)"
                    + (capture.isFollowing
                        ? "; later ones are not in it." : ", which 'rejoinder replay' reads."))
        } else {
            failure.lines.append("No file was written.")
        }
        failure.lines += CaptureReport.warnings(summary)
        return failure
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
