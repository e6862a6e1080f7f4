import Foundation
import Recording
import Worker

/// A replay in this process, with no broker: out comes a recording, or a judgement.
struct ProcessReplay {
    /// Which of the two output topics.
    enum Output: String, CaseIterable {
        case enriched
        case deadLetters = "dead-letters"

        var kind: ReplayOutput.Kind { self == .enriched ? .enriched : .deadLetter }

        func topic(of topics: TopicNames) -> String { self == .enriched ? topics.enriched : topics.deadLetter }
    }

    /// An earlier output, and what to do about it.
    struct Golden {
        var file: String
        var isUpdated: Bool
        var ignored: [IgnoredPath]
        var junit: String?
    }

    var replay: Recording.Replay
    var settings: Settings
    /// What the topics' names begin with in the recording.
    var recordedPrefix = ""
    var startState: String?
    var only: Output?
    /// nil: standard output, unless it is only compared.
    var output: String?
    var golden: Golden?

    func run() throws {
        let engine = try ReplayEngine(
            topics: settings.topics, prefix: recordedPrefix, limits: RecordLimits(settings.workerConfiguration),
            startState: startState)
        if let golden, !golden.isUpdated {
            try compare(engine, with: golden)
        } else {
            try write(engine, to: golden?.file ?? output ?? "-")
        }
    }

    // MARK: - Written

    private func write(_ engine: ReplayEngine, to path: String) throws {
        let writer = try RecordingWriter(path: path)
        // A golden file that is rewritten may be asked for under another name too.
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
        let comparison = GoldenComparison(
            golden: try RecordingReader(path: golden.file, allowsEmpty: true), ignoring: golden.ignored,
            only: only.map { ($0.kind, $0.topic(of: settings.topics)) }, listsQuestions: golden.junit != nil)
        let writer = try output.map { try RecordingWriter(path: $0) }
        if let writer {
            try feed(engine, into: PairSink(comparison, RecordingSink(writer, kinds: kinds)))
        } else {
            try feed(engine, into: comparison)
        }
        try writer?.finish()
        let report = try comparison.finish()
        if let path = golden.junit {
            try Self.writeFile(report.junit(suite: replay.files.joined(separator: " ")), to: path)
        }
        let name = Printable.quoted(golden.file, limit: 500)
        guard !report.isEqual else {
            LineWriter.standardOutput.write(
                "equal to \(name): \(Self.count(report.records, "record")) of \(Self.count(report.questions, "question"))"
            )
            return
        }
        LineWriter.standardOutput.write(report.text())
        throw CommandFailure(
            .different,
            "\(report.differing) of \(Self.count(report.questions, "question")) "
                + "\(report.differing == 1 ? "differs" : "differ") from \(name); if the new output is the right one, write it "
                + "there with --update.")
    }

    // MARK: - Common

    private func feed(_ engine: ReplayEngine, into sink: some ReplaySink) throws {
        let progress = ProgressLine()
        defer { progress.end() }
        let size = replay.files.reduce(0) { sum, file in
            let attributes = try? FileManager.default.attributesOfItem(atPath: file)
            return sum + (attributes?[.size] as? Int ?? 0)
        }
        try replay.run(engine, into: sink) { bytes in
            progress.show(records: engine.counts.inputs, bytes: bytes, of: size)
        }
        guard engine.counts.inputs > 0 else {
            let names = settings.topics.inputs.map { recordedPrefix + $0 }.joined(separator: ", ")
            throw CommandFailure(
                .badData,
                "none of the \(engine.counts.skipped) records is of \(names); say what the recorded topics are called with "
                    + "topics.questions, topics.answers and topics.votes in the configuration, or what their names begin "
                    + "with, --recorded-prefix.")
        }
    }

    private func summary(of counts: ReplayCounts) -> String {
        let parts = [
            Self.count(counts.questions, "question"), Self.count(counts.answers, "answer"),
            Self.count(counts.votes, "vote"),
        ]
        let skipped = counts.skipped > 0 ? " (\(Self.count(counts.skipped, "record")) of other topics passed over)" : ""
        return "\(parts.joined(separator: ", "))\(skipped) -> \(counts.enriched) enriched, "
            + Self.count(counts.deadLetters, "dead letter")
    }

    private static func count(_ number: Int, _ thing: String) -> String {
        "\(number) \(thing)\(number == 1 ? "" : "s")"
    }

    private static func writeFile(_ text: String, to path: String) throws(CommandFailure) {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CommandFailure(
                .usage, "the report cannot be written to \(Printable.quoted(path)): \(error.localizedDescription)")
        }
    }
}
