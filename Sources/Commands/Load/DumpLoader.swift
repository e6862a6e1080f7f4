import AnswerStore
import Bytes
import Foundation
import KafkaClient
import Logging
import Recording
import Sources
import Worker

/// Publishes a Stack Exchange dump's rows as contract records, as ``Loader`` publishes a file's lines: placed by key as
/// Java clients place them, in transactions, each record once and in order.
struct DumpLoader {
    let settings: Settings
    /// The directory with `Posts.xml`.
    let directory: String
    let skipInvalid: Bool

    /// Room in a record beside key and value for the protocol's own bytes.
    private static let overhead = 64

    private struct Summary {
        /// Whether the dump was read to its end, and not stopped before.
        var isWhole = false
        /// Published records by topic.
        var counts: [ContractTopic: Int] = [:]
        /// Rows that cannot be mapped.
        var refused = 0
        /// The published records that are certainly in their topics.
        var certain = 0
    }

    /// Ends the process by the signal that stopped the load, if one did.
    /// - Throws: `PublishFailure`, with the records that are published for certain; ``CommandFailure``, with their
    ///   number if any; `KafkaError` and `WorkerError` before the first record.
    func run() throws {
        let signals = StopOnSignal()
        let summary = try load(stop: signals.stop)
        guard summary.isWhole else {
            LineWriter.standardOutput.write(
                "stopped: the first \(summary.certain) records of the dump (answers, then votes, then questions) are "
                    + "in their topics")
            return signals.endProcess()
        }
        let text = ContractTopic.allCases.map { "\(summary.counts[$0] ?? 0) \($0.rawValue)" }.joined(separator: ", ")
        LineWriter.standardOutput.write(
            "\(text) loaded"
                + (summary.refused > 0 ? ", \(summary.refused) rows left out that cannot be mapped" : ""))
        guard summary.refused == 0 || skipInvalid else {
            throw CommandFailure(
                .badData,
                "\(summary.refused) rows of the dump cannot be mapped; all others were loaded. --skip-invalid accepts "
                    + "that."
            )
        }
    }

    private func load(stop: StopSignal) throws -> Summary {
        let hasVotes = FileManager.default.fileExists(atPath: directory + "/Votes.xml")
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(
            "rejoinder-dump-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: scratch) }
        let store = try IndexStore(directory: scratch.path, source: "dump")
        defer { store.close() }
        let properties = settings.clientProperties
        let limit = properties.effectiveValue("message.max.bytes").flatMap(SettingKind.integer) ?? 1_000_000
        let dump = StackExchangeDump(
            directory: directory, hasVotes: hasVotes, store: store, longestValue: limit - Self.overhead)
        // librdkafka's failures come back as errors, so its messages are not logged.
        let logger = settings.logger("load", atLeast: .critical)
        let topics = settings.topics
        try checkTopics(topics.inputs, logger)
        let output = try ClusterOutput(
            properties: properties, delivery: .init(settings.workerConfiguration), clientID: "rejoinder-load",
            stop: stop, logger: logger)
        defer { output.close() }
        let handles: [ContractTopic: ProducerTopic] = [
            .questions: try output.topic(topics.questions), .answers: try output.topic(topics.answers),
            .votes: try output.topic(topics.votes),
        ]
        var summary = Summary()
        do {
            try publish(dump, to: handles, with: output, stop, &summary)
            try output.finish()
        } catch let failure as SourceFailure {
            // The records before it stay, and are counted once they are there for certain.
            try output.finish()
            throw CommandFailure(.badData, "\(failure). Records loaded before this: \(output.certain).")
        } catch {
            if !(error is PublishFailure) {
                output.endEarly { if case .warning(let text) = $0 { LogWriter.standardError.say(text) } }
            }
            throw error
        }
        summary.refused = dump.refused
        summary.certain = output.certain
        for reason in dump.reasons { LogWriter.standardError.say(Printable.text(reason, limit: 400)) }
        return summary
    }

    private func publish(
        _ dump: StackExchangeDump, to handles: [ContractTopic: ProducerTopic], with output: ClusterOutput,
        _ stop: StopSignal, _ summary: inout Summary
    ) throws {
        let progress = ProgressLine()
        defer { progress.end() }
        let goesOn = { !stop.isRequested }
        do {
            summary.isWhole = try dump.run(while: goesOn) { record in
                guard let handle = handles[record.topic] else { return }
                guard try publish(record, to: handle, with: output) else { throw Stopped() }
                summary.counts[record.topic, default: 0] += 1
                guard output.published % 1_000 == 0 else { return }
                progress.show(records: output.published, bytes: dump.progress.bytes, of: dump.progress.size)
            }
        } catch is Stopped {}
    }

    private struct Stopped: Error {}

    private func checkTopics(_ names: [String], _ logger: Logger) throws {
        let admin = try AdminClient(properties: settings.clientProperties, logger: logger)
        defer { admin.close() }
        let found = try admin.describe(topics: names, timeout: .seconds(10))
        guard let missing = names.first(where: { found[$0] == nil }) else { return }
        throw CommandFailure(
            .configuration,
            "there is no topic \(missing), so nothing was published; make it with 'rejoinder topics create'.")
    }

    /// - Returns: false when the load was stopped while the record waited for room.
    private func publish(_ record: ContractRecord, to topic: ProducerTopic, with output: ClusterOutput) throws -> Bool {
        func send(_ value: Bytes?) throws -> Bool {
            try record.key.withUnsafeBytes { key in
                try output.publish(
                    to: topic, partition: nil, key: key, value: value, timestamp: nil, headers: [])
            }
        }
        guard let value = record.value else { return try send(nil) }
        return try value.withUnsafeBytes { try send($0) }
    }
}
