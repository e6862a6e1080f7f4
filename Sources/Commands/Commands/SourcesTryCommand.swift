import ArgumentParser
import Bytes
import Foundation
import SchemaRegistry
import Sources
import Worker

extension SourcesCommand {
    /// `rejoinder sources try`
    struct Try: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows records of a source and their translations, and publishes nothing.",
            discussion: """
                Reads the newest records of the sources' topics, or of one of them, in no group, or a file of JSON \
                lines: each line is a record's value, or an object of 'key' and 'value' where the key matters, as for \
                deletions. Each record is shown with what it becomes, or with why it is refused. Status 65 if one is \
                refused.

                Example:
                  rejoinder sources try --config rejoinder.yaml --topic forum.public.post --count 5
                  rejoinder sources try --config rejoinder.yaml --topic forum.public.post changes.jsonl
                """)

        @Argument(
            help: ArgumentHelp("File of JSON lines instead of the topic; - is standard input.", valueName: "file"))
        var file: String?

        @Option(help: ArgumentHelp("The source's topic; by default all of them.", valueName: "topic"))
        var topic: String?

        @Option(help: "Records to show of each topic.")
        var count = 20

        @OptionGroup(title: "Settings")
        var options: SettingsOptions

        func validate() throws {
            if count < 1 { throw ValidationError("--count must be at least 1, not \(count).") }
        }

        func run() throws {
            let settings = try options.settings()
            let translator = SourceTranslator(
                settings.sources, index: SourceIndex(), schemas: settings.registry.map { RegistryClient($0) })
            guard !translator.topics.isEmpty else {
                throw CommandFailure(
                    .configuration, "there are no sources in the configuration; list them under sources:.")
            }
            let topics = try chosen(of: translator.topics)
            var tally = SourceTrial.Tally()
            var total = 0
            func show(_ record: SourceSample.Record, of topic: String) throws {
                let result: SourceTrial.Result
                do throws(RegistryOutage) { result = try SourceTrial.translate(record, of: topic, translator) } catch {
                    throw CommandFailure(
                        .brokerUnreachable, "\(topic) [\(record.partition)] offset \(record.offset): \(error).")
                }
                tally.note(result)
                total += 1
                let remarks =
                    Set(
                        SourceTrial.missingColumns(record, of: topic, translator).values.flatMap { $0.map(\.sentence) }
                    ).sorted() + SourceTrial.doubtfulValues(record, of: topic, translator)
                let unmet = SourceTrial.unmetConditions(record, of: topic, translator)
                let shown = SourceTrial.readable(record, of: topic, translator)
                LineWriter.standardOutput.write(Self.text(shown, of: topic, result, unmet, remarks))
            }
            if let file {
                if translator.isFramed(topics[0]) {
                    throw CommandFailure(
                        .usage,
                        "the records of \(topics[0]) come with a schema's id before them, which a file of JSON lines "
                            + "cannot hold: leave the file out, and the topic is read.")
                }
                for record in try Self.records(of: file) { try show(record, of: topics[0]) }
            } else {
                let sample = SourceSample(
                    configuration: settings.workerConfiguration, logger: settings.logger("sources", atLeast: .critical))
                for topic in topics {
                    guard
                        try sample.read(topic, count: count, patience: .seconds(20), { try show($0, of: topic) }) != nil
                    else {
                        throw CommandFailure(.configuration, "there is no topic \(topic); name another under sources:.")
                    }
                }
            }
            LineWriter.standardOutput.write("\(total) \(total == 1 ? "record" : "records"): \(tally.text)")
            if tally.refused > 0 {
                throw CommandFailure(
                    .badData,
                    "\(tally.refused) of \(total) records would be dead letters; the reasons stand beside them.")
            }
        }

        private func chosen(of topics: [String]) throws(CommandFailure) -> [String] {
            guard let topic else {
                guard file == nil || topics.count == 1 else {
                    throw CommandFailure(
                        .usage,
                        "say which source the file's records are of with --topic: \(topics.joined(separator: ", ")).")
                }
                return topics
            }
            guard topics.contains(topic) else {
                throw CommandFailure(
                    .usage,
                    "the topic \(Printable.quoted(topic)) is no source's; the nearest is "
                        + "\(NearestName.of(topic, in: topics)).")
            }
            return [topic]
        }

        // MARK: The file

        private static func records(of path: String) throws -> [SourceSample.Record] {
            let source = try LoadSource(path: path)
            let lines = try source.reader(limit: 64 << 20)
            var records: [SourceSample.Record] = []
            while true {
                switch try lines.next() {
                case .end: return records
                case .tooLong(let number):
                    throw CommandFailure(.badData, "\(source.name), line \(number) is longer than 64 MiB.")
                case .line(let line, let number):
                    guard line.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { continue }
                    records.append(SourceLine.record(Array(line), number: number))
                }
            }
        }

        // MARK: The screen

        private static func text(
            _ record: SourceSample.Record, of topic: String, _ result: SourceTrial.Result, _ unmet: [String],
            _ remarks: [String]
        ) -> String {
            func shown(_ bytes: [UInt8]?) -> String {
                bytes.map { Printable.text(String(decoding: $0, as: UTF8.self), limit: 4_000) } ?? "null"
            }
            var lines = [
                "\(topic) [\(record.partition)] offset \(record.offset)",
                "  key    \(shown(record.key.map(EventReader.withoutSchema)))",
                "  value  \(shown(record.value.map(EventReader.withoutSchema)))",
            ]
            switch result {
            case .records(let records):
                if records.isEmpty { lines.append("  =      nothing to publish") }
                for record in records {
                    lines.append(
                        "  ->     \(record.topic.rawValue)  \(shown(record.key))  \(shown(record.value))")
                }
            case .passedOver:
                let reason =
                    unmet.isEmpty
                    ? "no source takes the row, or nothing of it was published" : unmet.joined(separator: "; ")
                lines.append("  =      passed over: \(Printable.text(reason, limit: 1_000))")
            case .waiting: lines.append("  =      a vote that waits for its answer")
            case .refused(let reason): lines.append("  x      \(Printable.text(reason, limit: 1_000))")
            }
            // A refusal tells of its column by itself.
            let refusal = if case .refused(let reason) = result { reason } else { "" }
            let more = remarks.filter { remark in
                !refusal.contains(remark[(remark.firstRange(of: ": ")?.upperBound ?? remark.startIndex)...])
            }
            lines += more.map { "  !      \(Printable.text($0, limit: 1_000))" }
            return lines.joined(separator: "\n") + "\n"
        }
    }
}
