import KafkaClient
import Logging
import Worker

/// Makes the topics that are missing, and compares those that exist with what the worker needs.
struct TopicMaker {
    let configuration: WorkerConfiguration
    /// nil: as many as the input topics that exist, or 4.
    let partitions: Int32?
    /// nil: the cluster's own default.
    let replicationFactor: Int32?
    let logger: Logger

    private static let usualPartitions: Int32 = 4
    private static let patience = Duration.seconds(10)

    /// Returns once each partition of the topics that it made can be worked with, on every broker that leads one.
    /// - Parameter report: called with a line for each topic.
    /// - Returns: what to do where the worker could not use what there is; empty if it can.
    /// - Throws: `KafkaError`; `WorkerError` that names the partition when the cluster does not get so far.
    func run(_ report: (String) -> Void) throws -> [String] {
        let properties = ClientProperties(configuration: configuration, identity: "topics", lane: 0)
        let admin = try AdminClient(properties: properties.admin, logger: logger)
        defer { admin.close() }
        let topics = configuration.topics
        var counts: [String: Int32] = [:]
        // The first answer tells whether anybody is there, sooner than a topic's own time out would.
        _ = try admin.clusterID(timeout: .seconds(8))
        let found = try admin.describe(topics: configuration.allTopics, timeout: Self.patience)
        let wanted = partitions ?? topics.inputs.compactMap { found[$0]?.partitionCount }.max() ?? Self.usualPartitions
        var advice: [String] = []
        var made: [TopicPartition] = []
        let needs = TopicNeeds.all(
            topics, maxMessageBytes: properties.maxMessageBytes, publishOn: configuration.publishOn,
            hasSources: !configuration.sources.isEmpty)
        for topic in needs {
            if let description = found[topic.topic] {
                counts[topic.topic] = description.partitionCount
                let settings = try admin.topicSettings(topic.topic, timeout: Self.patience)
                let differences = differences(of: description, settings, topic)
                report(
                    "\(topic.topic): "
                        + (differences.isEmpty
                            ? "exists, as needed" : "exists, differs: " + differences.joined(separator: "; ")))
                advice += topic.unmet(by: settings).filter { $0.weight == .required }.map { need in
                    "\(topic.topic): \(need.reason); \(need.remedy(topic: topic.topic)), or lower message.max.bytes."
                }
            } else {
                try admin.createTopic(
                    topic.topic, partitions: wanted, replicationFactor: replicationFactor, settings: topic.settings,
                    timeout: Self.patience)
                counts[topic.topic] = wanted
                made += (0..<wanted).map { TopicPartition(topic: topic.topic, partition: $0) }
                let settings = topic.settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                report(
                    "\(topic.topic): created, \(wanted) \(wanted == 1 ? "partition" : "partitions")"
                        + settings.map { ", " + $0 }.joined())
            }
        }
        try TopicReadiness(admin: admin).wait(for: made)
        if Set(topics.inputs.map { counts[$0] }).count > 1 {
            let text = topics.inputs.map { "\($0) has \(counts[$0] ?? 0)" }.joined(separator: ", ")
            advice.append(
                "the input topics must have equal partition counts (\(text)), since a question meets the answers and votes of "
                    + "its own partition number: copy the data into topics of equal counts, and name those in the configuration."
            )
        }
        return advice
    }

    private func differences(of description: TopicDescription, _ settings: [String: String], _ topic: TopicNeeds)
        -> [String]
    {
        var differences: [String] = []
        if let partitions, description.partitionCount != partitions {
            differences.append("it has \(description.partitionCount) partitions, not \(partitions)")
        }
        if let replicationFactor, description.replicationFactor != Int(replicationFactor) {
            differences.append("its replication factor is \(description.replicationFactor), not \(replicationFactor)")
        }
        return differences
            + topic.unmet(by: settings).map { "\($0.difference(from: settings[$0.setting] ?? "")) (\($0.reason))" }
    }
}
