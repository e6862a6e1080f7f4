import Foundation
import Recording
import Worker

/// A replay in this process, with no broker: its result is a recording, or a comparison with an earlier one.
struct ProcessReplay {
    /// One of the two output topics.
    enum Output: String, CaseIterable {
        case enriched
        case deadLetters = "dead-letters"

        var kind: ReplayOutput.Kind { self == .enriched ? .enriched : .deadLetter }

        func topic(of topics: TopicNames) -> String { self == .enriched ? topics.enriched : topics.deadLetter }
    }

    /// An earlier output to compare with, or to update.
    struct Golden {
        var file: String
        var isUpdated: Bool
        var ignored: [IgnoredPath]
        var junit: String?
    }

    var replay: Recording.Replay
    var settings: Settings
    /// Prefix of the topics' names in the recording.
    var recordedPrefix = ""
    /// New names for recorded topics, applied before the prefix is removed.
    var renaming = TopicRenaming()
    var startState: String?
    var only: Output?
    /// Only the last record of each question.
    var isFinal = false
    /// nil: standard output, or nothing when the output is only compared.
    var output: String?
    var golden: Golden?

    /// Memory for the rendered answers of recurring questions.
    private static let renderedBytes = 32 << 20

    func run() throws {
        try refuseLosses()
        let engine = try ReplayEngine(
            topics: settings.topics, prefix: recordedPrefix, renaming: renaming,
            limits: RecordLimits(settings.workerConfiguration), publishOn: settings.publishOn,
            startState: startState, renderedBytes: Self.renderedBytes)
        if let golden, !golden.isUpdated {
            try compare(engine, with: golden)
        } else {
            try write(engine, to: golden?.file ?? output ?? "-")
        }
    }

    /// Checks, before any file is read, that no output replaces an input.
    private func refuseLosses() throws {
        var read = replay.files.map { (path: $0, role: "the recording that is read") }
        if let golden, golden.isUpdated {
            try FileIdentity.refuse(writing: golden.file, by: "--expect --update", over: read)
            try FileIdentity.refuse(writing: output, by: "--output", over: read)
            if let output {
                let isSame = FileIdentity(output).map { $0 == FileIdentity(golden.file) } ?? (output == golden.file)
                guard isSame else { return }
                throw CommandFailure(.usage, "--output and --update name one file; leave --output out.")
            }
            return
        }
        if let golden {
            guard FileManager.default.fileExists(atPath: golden.file) || golden.file == "-" else {
                throw CommandFailure(
                    .usage,
                    "there is no golden file \(Printable.quoted(golden.file, limit: 500)) to compare with; write it "
                        + "with --update, look it over, and keep it.")
            }
            read.append((golden.file, "the golden file that is compared with"))
            try FileIdentity.refuse(writing: golden.junit, by: "--junit", over: read)
        }
        try FileIdentity.refuse(writing: output, by: "--output", over: read)
    }

    // MARK: - Written

    private func write(_ engine: ReplayEngine, to path: String) throws {
        let writer = try RecordingWriter(path: path)
        // `--update` with `--output` writes the same records to both files.
        let copy = golden != nil ? try output.map { try RecordingWriter(path: $0) } : nil
        let sink = RecordingSink(writer, kinds: kinds)
        if let copy {
            try feed(engine, into: PairSink(sink, RecordingSink(copy, kinds: kinds)))
        } else {
            try feed(engine, into: sink)
        }
        try copy?.finish()
        try writer.finish()
        LogWriter.standardError.say("\(summary(of: engine.counts)) -> \(writer.name)")
    }

    private var kinds: Set<ReplayOutput.Kind> { only.map { [$0.kind] } ?? [.enriched, .deadLetter] }

    // MARK: - Compared

    private func compare(_ engine: ReplayEngine, with golden: Golden) throws {
        let earlier = try RecordingReader(path: golden.file, allowsEmpty: true)
        let comparison = GoldenComparison(
            golden: earlier, ignoring: golden.ignored,
            only: only.map { ($0.kind, $0.topic(of: settings.topics)) }, listsQuestions: golden.junit != nil)
        let writer = try output.map { try RecordingWriter(path: $0) }
        if let writer {
            try feed(engine, into: PairSink(comparison, RecordingSink(writer, kinds: kinds)))
        } else {
            try feed(engine, into: comparison)
        }
        try writer?.finish()
        let report = try comparison.finish()
        Self.say(earlier.warnings)
        for path in report.unusedPaths {
            LogWriter.standardError.say(
                "warning: none of the compared records has \(Printable.quoted(path, limit: 200)), which --ignore "
                    + "leaves out; is it spelled so?")
        }
        if let path = golden.junit {
            try ReportOutput.write(report.junit(suite: replay.files.joined(separator: " ")), to: path)
        }
        let name = Printable.quoted(golden.file, limit: 500)
        guard !report.isEqual else {
            LineWriter.standardOutput.write(
                "equal to \(name): \(Self.count(report.records, "record")) of "
                    + "\(Self.count(report.questions, "question"))"
            )
            return
        }
        LineWriter.standardOutput.write(report.text())
        throw CommandFailure(
            .different,
            "\(report.differing) of \(Self.count(report.questions, "question")) "
                + "\(report.differing == 1 ? "differs" : "differ") from \(name); if the new output is the right one, "
                + "write it there with --update.")
    }

    // MARK: - Common

    private static func say(_ warnings: [String]) {
        for warning in warnings { LogWriter.standardError.say("warning: \(Printable.text(warning, limit: 1_000))") }
    }

    private func feed(_ engine: ReplayEngine, into sink: some ReplaySink) throws {
        let progress = ProgressLine()
        defer { progress.end() }
        let size = replay.files.reduce(0) { sum, file in
            let attributes = try? FileManager.default.attributesOfItem(atPath: file)
            return sum + (attributes?[.size] as? Int ?? 0)
        }
        let last = isFinal ? LastRecordSink(sink) : nil
        func show(_ bytes: Int) { progress.show(records: engine.counts.inputs, bytes: bytes, of: size) }
        let warnings =
            if let last { try replay.run(engine, into: last, progress: show) } else {
                try replay.run(engine, into: sink, progress: show)
            }
        try last?.finish()
        progress.end()
        Self.say(warnings)
        guard engine.counts.inputs > 0 else {
            let names = settings.topics.inputs.map { recordedPrefix + $0 }.joined(separator: ", ")
            throw CommandFailure(
                .badData,
                "none of the \(engine.counts.skipped) records is of \(names); say what the recorded topics are called "
                    + "with topics.questions, topics.answers and topics.votes in the configuration, or what their "
                    + "names begin with, --recorded-prefix.")
        }
        warn(of: engine)
    }

    /// In a recording with other topic names, one of the three may match and the others not.
    private func warn(of engine: ReplayEngine) {
        let counts = engine.counts
        guard counts.skipped > 0 else { return }
        let found = [
            (settings.topics.questions, counts.questions), (settings.topics.answers, counts.answers),
            (settings.topics.votes, counts.votes),
        ]
        let missing = found.filter { $0.1 == 0 }.map { Printable.text(recordedPrefix + $0.0) }
        let others = engine.skippedTopics.map { Printable.text($0) }.joined(separator: ", ")
        let what = "\(Self.count(counts.skipped, "record")) of other topics (\(others)) were passed over"
        LogWriter.standardError.say(
            missing.isEmpty
                ? "note: \(what)" : "warning: no record is of \(missing.joined(separator: " or ")), and \(what)")
    }

    private func summary(of counts: ReplayCounts) -> String {
        let parts = [
            Self.count(counts.questions, "question"), Self.count(counts.answers, "answer"),
            Self.count(counts.votes, "vote"),
        ]
        return "\(parts.joined(separator: ", ")) -> \(counts.enriched) enriched, "
            + Self.count(counts.deadLetters, "dead letter")
    }

    private static func count(_ number: Int, _ thing: String) -> String {
        "\(number) \(thing)\(number == 1 ? "" : "s")"
    }
}
