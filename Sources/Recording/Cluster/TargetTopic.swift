import KafkaClient

/// A topic that a replay publishes to, as the brokers describe it.
struct TargetTopic: Equatable {
    var name: String
    var partitionCount: Int32
    /// Records older than this many milliseconds are deleted; nil: none are, or nobody can tell.
    var retentionMilliseconds: Int64?
    /// The broker gives each record the time of its arrival, whatever it brings.
    var isStampedByBroker = false
    /// Bytes that the broker takes at most as one batch of records.
    var maxMessageBytes: Int?

    init(name: String, partitionCount: Int32, settings: [String: String] = [:]) {
        self.name = name
        self.partitionCount = partitionCount
        let policies = settings["cleanup.policy", default: "delete"].split(separator: ",")
            .map { $0.filter { $0 != " " } }
        if policies.contains("delete"), let limit = settings["retention.ms"].flatMap({ Int64($0) }), limit >= 0 {
            retentionMilliseconds = limit
        }
        isStampedByBroker = settings["message.timestamp.type"] == "LogAppendTime"
        maxMessageBytes = settings["max.message.bytes"].flatMap { Int($0) }
    }

    /// The first timestamp, in milliseconds since 1970, that the topic's retention keeps; nil: it keeps all.
    func oldestKept(now: Int64) -> Int64? { retentionMilliseconds.map { $0 < now ? now - $0 : 0 } }
}

/// Asks for target topics, each once.
final class TargetTopics {
    private let admin: AdminClient
    private var found: [String: TargetTopic?] = [:]
    /// Old brokers and the embedded one never answer questions about settings: one wait is enough.
    private var answersAboutSettings = true
    private(set) var unknownSettings: [String] = []

    init(admin: AdminClient) {
        self.admin = admin
    }

    /// The topic; nil where there is none.
    func find(_ name: String) throws(KafkaError) -> TargetTopic? {
        if let known = found[name] { return known }
        guard let description = try admin.describe(topics: [name], timeout: .seconds(10))[name] else {
            found[name] = .some(nil)
            return nil
        }
        let topic = TargetTopic(
            name: name, partitionCount: description.partitionCount, settings: settings(of: name))
        found[name] = topic
        return topic
    }

    private func settings(of name: String) -> [String: String] {
        if answersAboutSettings {
            do throws(KafkaError) {
                return try admin.topicSettings(name, timeout: .seconds(5))
            } catch {
                // They are only for warnings, so what may not be seen does not hinder.
                answersAboutSettings = !error.isTimeout
            }
        }
        unknownSettings.append(name)
        return [:]
    }
}
