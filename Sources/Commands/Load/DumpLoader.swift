import AnswerStore
import Foundation
import KafkaClient
import Logging
import Sources
import Worker

/// Publishes a Stack Exchange dump's rows as contract records with the idempotent producer. Keys are placed as by Java
/// clients.
struct DumpLoader {
    let settings: Settings
    /// The directory with `Posts.xml`.
    let directory: String
    let skipInvalid: Bool

    /// Longer than librdkafka's default `message.timeout.ms` (300 s), so that a record fails before a flush gives up.
    private static let patience = Duration.seconds(330)

    func run() throws {
        let hasVotes = FileManager.default.fileExists(atPath: directory + "/Votes.xml")
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(
            "rejoinder-dump-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: scratch) }
        let store = try IndexStore(directory: scratch.path, source: "dump")
        defer { store.close() }
        let dump = StackExchangeDump(directory: directory, hasVotes: hasVotes, store: store)
        let logger = settings.logger("load", atLeast: .critical)
        let topics = settings.topics
        try checkTopics(topics.inputs, logger)
        let producer = try Producer(properties: settings.clientProperties, transactionalID: nil, logger: logger)
        defer { producer.close(timeout: .seconds(1)) }
        let handles: [ContractTopic: ProducerTopic] = [
            .questions: try producer.topic(topics.questions), .answers: try producer.topic(topics.answers),
            .votes: try producer.topic(topics.votes),
        ]
        var counts: [ContractTopic: Int] = [:]
        let progress = ProgressLine()
        defer { progress.end() }
        do {
            try dump.run { record in
                guard let handle = handles[record.topic] else { return }
                try publish(record, to: handle, with: producer)
                counts[record.topic, default: 0] += 1
                let total = counts.values.reduce(0, +)
                guard total % 1_000 == 0 else { return }
                producer.poll(timeoutMilliseconds: 0)
                progress.show(records: total, bytes: dump.progress.bytes, of: dump.progress.size)
            }
        } catch let failure as SourceFailure {
            throw CommandFailure(.badData, "\(failure).")
        }
        try producer.flush(timeout: Self.patience)
        for reason in dump.reasons { LogWriter.standardError.say(Printable.text(reason, limit: 400)) }
        let text = ContractTopic.allCases.map { "\(counts[$0] ?? 0) \($0.rawValue)" }.joined(separator: ", ")
        LineWriter.standardOutput.write(
            "\(text) loaded" + (dump.refused > 0 ? ", \(dump.refused) rows left out that cannot be mapped" : ""))
        guard dump.refused == 0 || skipInvalid else {
            throw CommandFailure(
                .badData,
                "\(dump.refused) rows of the dump cannot be mapped; all others were loaded. --skip-invalid accepts that."
            )
        }
    }

    private func checkTopics(_ names: [String], _ logger: Logger) throws {
        let admin = try AdminClient(properties: settings.clientProperties, logger: logger)
        defer { admin.close() }
        let found = try admin.describe(topics: names, timeout: .seconds(10))
        guard let missing = names.first(where: { found[$0] == nil }) else { return }
        throw CommandFailure(
            .configuration,
            "there is no topic \(missing), so nothing was published; make it with 'rejoinder topics create'.")
    }

    private func publish(_ record: ContractRecord, to topic: ProducerTopic, with producer: Producer) throws {
        try producer.waitingForRoom(Self.patience) { () throws(KafkaError) in
            try producer.produce(to: topic, key: record.key, value: record.value, timestamp: nil, headersOf: nil)
        }
    }
}
