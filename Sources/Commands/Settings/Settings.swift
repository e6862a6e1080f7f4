import KafkaClient
import Logging
import SchemaRegistry
import Sources
import Worker

/// The shape of log lines.
enum LogFormat: String, CaseIterable, Sendable {
    case json
    case text
}

/// The effective configuration: every value checked by itself and against the others, with its origin.
struct Settings: Sendable {
    var bootstrapServers: String
    var groupID: String
    var staticMembership: Bool
    /// librdkafka properties as given, by name, without those that other settings stand for.
    var kafkaProperties: [String: String]
    var topics: TopicNames
    var delivery: DeliveryMode
    var publishOn: PublishMode
    var commitIntervalMilliseconds: Int
    var offsetMismatch: OffsetMismatchPolicy
    var publishesProvenance: Bool
    var lanes: Int
    var sourceLanes: Int
    /// Topics of other systems, and the mapping of their records to contract records.
    var sources: [SourceMapping]
    /// The sources' YAML as written.
    var sourcesText: String?
    /// The schema registry that sources need; nil: none is configured.
    var registry: RegistryConfiguration?
    var storeDirectory: String
    /// nil: just under the producer's `message.max.bytes`.
    var maxRecordBytes: Int?
    var memoryBudgetMiB: Int
    var adminHost: String
    /// 0: any free port.
    var adminPort: Int
    /// The group's other workers.
    var adminPeers: [HealthCommand.Target]
    var monitoringIntervalSeconds: Int
    /// The objective for the output's age.
    var objectiveMilliseconds: Int
    var logLevel: Logger.Level
    var logFormat: LogFormat

    /// Each setting's text and origin; no entry where the value is worked out from others.
    var values: [SettingKey: SettingValue]
    /// The origin of each librdkafka property, by name.
    var propertyOrigins: [String: SettingOrigin]

    func origin(of key: SettingKey) -> SettingOrigin { values[key]?.origin ?? .standard }
}

extension Settings {
    /// For clients other than the worker's: the user's properties, and the brokers.
    var clientProperties: KafkaProperties {
        var properties = KafkaProperties(kafkaProperties)
        properties["bootstrap.servers"] = bootstrapServers
        return properties
    }
}

/// A setting's text as given, and its origin.
struct SettingValue: Sendable, Equatable {
    var text: String
    var origin: SettingOrigin
}
