import Bytes
import Enrichment
import Foundation
import KafkaClient
import Records
import Worker

/// A question event of a window. Does not own its bytes: they live as long as their message or sorted record.
struct WindowEvent {
    var partition: Int32
    var offset: Int64
    /// Milliseconds since 1970; nil when the broker had none.
    var timestamp: Int64?
    /// nil is Kafka's null.
    var key: Bytes?
    /// nil is Kafka's null.
    var value: Bytes?
    var headers: [RecordHeader]
}

/// Publishes a window's outputs and counts them. Not Sendable.
final class WindowSink {
    /// The number of dead letters that are reported one by one.
    private static let told = 10

    private let output: ClusterOutput
    private let layout: WindowReplay.Layout
    private let questions: String
    private let enrichedTopic: ProducerTopic
    private let deadLetterTopic: ProducerTopic?
    private let limits: RecordLimits
    private let target: TargetTopic?
    /// The first timestamp that the output topic keeps; nil: it keeps all.
    private let oldestKept: Int64?

    private(set) var enriched = 0
    private(set) var beyondRetention = 0
    private(set) var deadLetters: [RecordErrorCode: Int] = [:]

    init(
        options: WindowReplay.Options, layout: WindowReplay.Layout, output: ClusterOutput, target: TargetTopic?
    ) throws(KafkaError) {
        self.output = output
        self.layout = layout
        questions = options.configuration.topics.questions
        enrichedTopic = try output.topic(options.outputTopic)
        if let name = options.deadLetterTopic {
            deadLetterTopic = try output.topic(name)
        } else {
            deadLetterTopic = nil
        }
        limits = RecordLimits(options.configuration)
        self.target = target
        oldestKept = target?.oldestKept(now: Int64(Date().timeIntervalSince1970 * 1000))
    }

    /// The longest value that can be published for an event, by the worker's rule.
    func limit(for event: WindowEvent) -> Int {
        limits.longestValue(
            keyBytes: event.key?.count ?? 0,
            headerRoom: event.headers.reduce(0) {
                $0 + RecordLimits.room(ofHeader: $1.name.utf8.count, value: $1.value?.count ?? 0)
            })
    }

    /// - Parameter value: nil: the question was deleted.
    func publish(_ value: Bytes?, of event: WindowEvent, _ tracker: WindowProgress) throws {
        if let oldestKept, let timestamp = event.timestamp, timestamp < oldestKept {
            if beyondRetention == 0 { warn(timestamp, tracker) }
            beyondRetention += 1
        }
        guard
            try output.publish(
                to: enrichedTopic, partition: layout.outputHasSame ? event.partition : nil, key: event.key,
                value: value, timestamp: event.timestamp ?? -1, headers: event.headers)
        else { return }
        enriched += 1
    }

    private func warn(_ timestamp: Int64, _ tracker: WindowProgress) {
        guard let target, let limit = target.retentionMilliseconds else { return }
        tracker.warn(
            "an event is from \(Wording.instant(timestamp)), older than '\(target.name)' keeps by its "
                + "retention.ms=\(limit) (\(Wording.time(.milliseconds(limit)))): the broker will delete such records "
                + "there. Set retention.ms=-1 on the topic, or compact it (cleanup.policy=compact)")
    }

    /// Counts an event that cannot be enriched, and publishes its dead letter if a topic for it is set.
    func refuse(_ event: WindowEvent, _ error: RecordError, _ tracker: WindowProgress) throws {
        deadLetters[error.code, default: 0] += 1
        let count = deadLetters.values.reduce(0, +)
        if count <= Self.told {
            tracker.warn(
                "dead letter: \(questions) [\(event.partition)] at offset \(event.offset): \(error)"
                    + (count == Self.told ? "; further ones are only counted" : ""))
        }
        guard let deadLetterTopic else { return }
        let reasons = DeadLetter.headers(
            error: error, topic: questions, partition: event.partition, offset: event.offset,
            timestamp: event.timestamp)
        _ = try DeadLetter.offer(
            key: event.key, value: event.value, headers: event.headers, reasons: reasons
        ) { form, key, value, headers in
            do {
                _ = try output.publish(
                    to: deadLetterTopic, partition: layout.deadLetterHasSame ? event.partition : nil, key: key,
                    value: value, timestamp: nil, headers: headers)
                return true
            } catch let error as KafkaError where error.isTooLarge && form != .withoutKeyToo {
                return false
            }
        }
    }
}
