import KafkaClient

/// A topic that a replay publishes to, as the brokers describe it.
struct TargetTopic: Equatable {
    var name: String
    var partitionCount: Int32
    /// The topic's retention in milliseconds; nil when records do not expire, or when the settings are unknown.
    var retentionMilliseconds: Int64?
    /// The broker replaces each record's timestamp by the time of its arrival.
    var isStampedByBroker = false
    /// The largest record batch that the broker accepts, in bytes.
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

/// Looks up target topics, each once.
final class TargetTopics {
    private let admin: AdminClient
    private var found: [String: TargetTopic?] = [:]
    /// Old brokers and the embedded one never answer requests for settings, so one timeout ends further attempts.
    private var answersAboutSettings = true
    private(set) var unknownSettings: [String] = []

    init(admin: AdminClient) {
        self.admin = admin
    }

    /// The topic; nil when it does not exist.
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
                // The settings serve only for warnings, so a failed request is no error.
                answersAboutSettings = !error.isTimeout
            }
        }
        unknownSettings.append(name)
        return [:]
    }
}
