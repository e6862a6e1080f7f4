import KafkaClient
import Logging
import Worker

/// Creates missing topics, and compares existing ones with the worker's needs.
struct TopicMaker {
    let configuration: WorkerConfiguration
    /// nil: the largest count of the existing input topics, or 4.
    let partitions: Int32?
    /// nil: the cluster's default.
    let replicationFactor: Int32?
    let logger: Logger

    private static let usualPartitions: Int32 = 4
    private static let patience = Duration.seconds(10)

    /// Returns once the leader of every new partition answers.
    /// - Parameter report: called with a line for each topic.
    /// - Returns: remedies where the worker could not use an existing topic; empty if it can use all.
    /// - Throws: `KafkaError`; `WorkerError` with the partition whose leader does not answer in time.
    func run(_ report: (String) -> Void) throws -> [String] {
        let properties = ClientProperties(configuration: configuration, identity: "topics", lane: 0)
        let admin = try AdminClient(properties: properties.admin, logger: logger)
        defer { admin.close() }
        let topics = configuration.topics
        var counts: [String: Int32] = [:]
        // Fails without a broker sooner than a request about topics would.
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
                "the input topics must have equal partition counts (\(text)), since a question meets the answers and "
                    + "votes of its own partition number: copy the data into topics of equal counts, and name those in "
                    + "the configuration."
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
