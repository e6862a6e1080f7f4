import KafkaClient
import Logging
import Sources
import Worker

/// The shape of log lines.
enum LogFormat: String, CaseIterable, Sendable {
    case json
    case text
}

/// The effective configuration: every value checked by itself and against the others, with where it came from.
struct Settings: Sendable {
    var bootstrapServers: String
    var groupID: String
    var staticMembership: Bool
    /// librdkafka properties as given, by name. Not those that other settings stand for.
    var kafkaProperties: [String: String]
    var topics: TopicNames
    var delivery: DeliveryMode
    var publishOn: PublishMode
    var commitIntervalMilliseconds: Int
    var offsetMismatch: OffsetMismatchPolicy
    var publishesProvenance: Bool
    var lanes: Int
    var sourceLanes: Int
    /// Topics of other systems, and how their records become contract records.
    var sources: [SourceMapping]
    /// The same as the YAML that they were written in.
    var sourcesText: String?
    var storeDirectory: String
    /// nil: just under the producer's `message.max.bytes`.
    var maxRecordBytes: Int?
    var memoryBudgetMiB: Int
    var adminHost: String
    /// 0: any free port.
    var adminPort: Int
    var monitoringIntervalSeconds: Int
    /// How fresh the output is to be.
    var objectiveMilliseconds: Int
    var logLevel: Logger.Level
    var logFormat: LogFormat

    /// The text of every setting and where it came from; no entry where the value is worked out from others.
    var values: [SettingKey: SettingValue]
    /// Where each librdkafka property came from, by name.
    var propertyOrigins: [String: SettingOrigin]

    func origin(of key: SettingKey) -> SettingOrigin { values[key]?.origin ?? .standard }
}

extension Settings {
    /// For clients that are not the worker's: what the user gave, and the brokers.
    var clientProperties: KafkaProperties {
        var properties = KafkaProperties(kafkaProperties)
        properties["bootstrap.servers"] = bootstrapServers
        return properties
    }
}

/// A setting's text, as it was given, and where.
struct SettingValue: Sendable, Equatable {
    var text: String
    var origin: SettingOrigin
}
