import KafkaClient
import Worker

/// Settings that the worker needs of a topic: `topics create` sets them, `check` verifies them.
struct TopicNeeds: Sendable, Equatable {
    /// The harm of a setting that differs.
    enum Weight: Sendable {
        /// The worker cannot work.
        case required
        /// The worker works, and data is lost later.
        case wanted
    }

    struct Need: Sendable, Equatable {
        var setting: String
        /// The value for a new topic.
        var value: String
        var weight: Weight
        /// The consequence of a setting that differs.
        var reason: String
        var rule: Rule
        /// Whether a new topic gets the value. Brokers refuse to create a topic with a setting that they do not know.
        var isSetOnCreation = true
    }

    enum Rule: Sendable, Equatable {
        case equals
        /// `cleanup.policy` is a list.
        case contains
        case lacks(String)
        case atLeast(Int)
        /// Compacted, or kept for ever: either way the last record of each key stays.
        case keepsLatest
        /// A bound on timestamps, in milliseconds. It does not count where the broker writes the timestamps itself.
        case takesTimestamps(atLeast: Int)
    }

    var topic: String
    var needs: [Need]

    /// Kafka's own default of `max.message.bytes`.
    private static let usualMaxMessageBytes = 1_048_588

    /// All topics: the source index where needed, the inputs, the outputs.
    /// - Parameters:
    ///   - maxMessageBytes: the producer's `message.max.bytes`.
    ///   - publishOn: with `changes`, the stores hold the questions too, so their topic must keep them.
    ///   - hasSources: whether the topic of the source index is needed.
    static func all(
        _ topics: TopicNames, maxMessageBytes: Int, publishOn: PublishMode = .questions, hasSources: Bool = false
    ) -> [TopicNeeds] {
        let size = Need(
            setting: "max.message.bytes", value: String(max(usualMaxMessageBytes, maxMessageBytes)), weight: .required,
            reason:
                "a record that the producer may send (message.max.bytes is \(maxMessageBytes)) would be refused for "
                + "ever",
            rule: .atLeast(maxMessageBytes))
        let retention = Need(
            setting: "retention.ms", value: "-1", weight: .wanted,
            reason: "the stores are rebuilt from this topic, so a record that it drops is lost", rule: .equals)
        let bytes = Need(
            setting: "retention.bytes", value: "-1", weight: .wanted,
            reason: "the stores are rebuilt from this topic, so a record that it drops is lost", rule: .equals)
        let whole = Need(
            setting: "cleanup.policy", value: "delete", weight: .wanted,
            reason: "several records share a key, and compaction keeps only the last of them", rule: .lacks("compact"))
        let compacted = Need(
            setting: "cleanup.policy", value: "compact", weight: .wanted,
            reason: "old enriched records would go after their retention, the latest of a question among them",
            rule: .contains)
        let latest = Need(
            setting: "cleanup.policy", value: "compact", weight: .wanted,
            reason:
                "with publish.on: changes a question is published again with its latest event, which this topic would "
                + "forget",
            rule: .keepsLatest)
        let deletions = Need(
            setting: "delete.retention.ms", value: "604800000", weight: .wanted,
            reason: "a worker that is away for longer would not learn that a question was deleted",
            rule: .atLeast(86_400_000))
        let index = Need(
            setting: "cleanup.policy", value: "compact", weight: .wanted,
            reason: "the sources would forget old rows after its retention, and miss their deletions",
            rule: .contains)
        let letters = Need(
            setting: "cleanup.policy", value: "delete", weight: .wanted,
            reason: "a later dead letter of a key would remove the earlier ones", rule: .lacks("compact"))
        let sources = hasSources ? [TopicNeeds(topic: topics.sourceIndex, needs: [index, size])] : []
        // Sources publish into the input topics, with the timestamps of their own records.
        let published = hasSources ? timestamps : []
        return sources + [
            TopicNeeds(
                topic: topics.questions, needs: (publishOn == .questions ? [] : [latest, deletions]) + published),
            TopicNeeds(topic: topics.answers, needs: [retention, bytes, whole] + published),
            TopicNeeds(topic: topics.votes, needs: [retention, bytes, whole] + published),
            TopicNeeds(topic: topics.enriched, needs: [compacted, size] + timestamps),
            TopicNeeds(topic: topics.deadLetter, needs: [letters, size]),
        ]
    }

    /// Bounds on the timestamps of records, which pass through. Kafka's defaults meet these needs: `before` and
    /// `difference`, which it replaces since 3.6 (KIP-937), are unlimited, and `after` is an hour since 4.0.
    private static let timestamps: [Need] = {
        let unlimited = Int(Int64.max)
        let old = "a record of an older event, as in a backlog or a backfill, would be refused and set aside"
        func need(_ name: String, _ least: Int, _ reason: String) -> Need {
            Need(
                setting: "message.timestamp.\(name).max.ms", value: String(least), weight: .wanted, reason: reason,
                rule: .takesTimestamps(atLeast: least), isSetOnCreation: false)
        }
        return [
            need("before", unlimited, old), need("difference", unlimited, old),
            need(
                "after", 3_600_000,
                "a record of an event whose producer's clock is ahead by more would be refused and set aside"),
        ]
    }()

    /// The settings of a new topic.
    var settings: [String: String] {
        Dictionary(needs.filter(\.isSetOnCreation).map { ($0.setting, $0.value) }) { _, last in last }
    }

    /// The needs that a topic's settings do not meet. A setting that the broker does not report counts as met.
    func unmet(by settings: [String: String]) -> [Need] {
        needs.filter { need in settings[need.setting].map { !need.isMet(by: $0, among: settings) } ?? false }
    }
}

extension TopicNeeds.Need {
    /// - Parameter settings: all settings of the topic, for rules that involve several.
    func isMet(by value: String, among settings: [String: String] = [:]) -> Bool {
        let policies = value.split(separator: ",").map { String($0.filter { $0 != " " }) }
        switch rule {
        case .equals: return value == self.value
        case .contains: return policies.contains(self.value)
        case .lacks(let policy): return !policies.contains(policy)
        case .atLeast(let least): return Int(value).map { $0 >= least } ?? false
        case .takesTimestamps(let least):
            return settings["message.timestamp.type"] == "LogAppendTime" || Int(value).map { $0 >= least } ?? false
        case .keepsLatest:
            let isKept = ["retention.ms", "retention.bytes"].allSatisfy { settings[$0] ?? "-1" == "-1" }
            return !policies.contains("delete") && policies.contains(self.value) || isKept
        }
    }

    /// "retention.ms is 604800000, should be -1"
    func difference(from value: String) -> String { "\(setting) is \(value), should be \(wanted)" }

    private var wanted: String {
        switch rule {
        case .equals, .contains, .keepsLatest: value
        case .lacks(let policy): "without \(policy)"
        case .atLeast(let least), .takesTimestamps(let least): "at least \(least)"
        }
    }

    /// The command of Kafka's own tool that corrects the setting.
    func remedy(topic: String) -> String {
        "kafka-configs.sh --alter --entity-type topics --entity-name \(topic) --add-config \(setting)=\(value)"
    }
}
