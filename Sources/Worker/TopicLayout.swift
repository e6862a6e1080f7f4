import KafkaClient
import Logging

/// Partition counts that decide the partition of an output record.
package struct TopicLayout: Sendable, Equatable {
    /// Partitions of the questions topic, and of both tables.
    package var questions: Int32
    /// Partitions of the enriched topic.
    package var enriched: Int32
    /// Partitions of the dead-letter topic.
    package var deadLetter: Int32

    /// The event's own partition number where the output topic has as many partitions as the questions; else nil: the
    /// key's hash decides.
    func enrichedPartition(for source: Int32) -> Int32? {
        enriched == questions ? source : nil
    }

    func deadLetterPartition(for source: Int32) -> Int32? {
        deadLetter == questions ? source : nil
    }
}

/// The cluster as a worker found it at its start.
package struct Cluster: Sendable {
    /// The cluster's id, as its brokers report it.
    package var id: String
    /// The counts that decide partitions.
    package var layout: TopicLayout
    /// The five topics' partition counts.
    package var counts: [String: Int32] = [:]

    /// Queries the cluster for the five topics.
    /// - Throws: ``WorkerError`` when no broker answers, a topic is missing, or the tables' partition counts differ
    ///   from the questions'.
    package static func survey(
        topics: TopicNames, properties: KafkaProperties, timeout: Duration, logger: Logger
    ) throws(WorkerError) -> Cluster {
        let id: String
        let found: [String: TopicDescription]
        do throws(KafkaError) {
            let admin = try AdminClient(properties: properties, logger: logger)
            defer { admin.close() }
            id = try admin.clusterID(timeout: timeout)
            found = try admin.describe(topics: topics.inputs + topics.outputs, timeout: timeout)
        } catch {
            throw WorkerError(error.isUnreachable ? .brokerUnreachable : .configuration, "\(error)")
        }
        let counts = found.mapValues(\.partitionCount)
        return Cluster(id: id, layout: try layout(of: topics, counts: counts), counts: counts)
    }

    /// - Throws: ``WorkerError`` that names missing topics or unequal counts, and the remedy.
    static func layout(of topics: TopicNames, counts: [String: Int32]) throws(WorkerError) -> TopicLayout {
        let missing = (topics.inputs + topics.outputs).filter { counts[$0] == nil }
        guard let questions = counts[topics.questions], let answers = counts[topics.answers],
            let votes = counts[topics.votes], let enriched = counts[topics.enriched],
            let deadLetter = counts[topics.deadLetter]
        else {
            throw WorkerError(
                .configuration,
                "The cluster has no topic \(missing.map { "'\($0)'" }.joined(separator: ", ")); create the missing "
                    + "ones with `rejoinder topics create`, or name other topics in the configuration"
            )
        }
        guard questions == answers, questions == votes else {
            throw WorkerError(
                .configuration,
                "The input topics must have equal partition counts, since a question is joined with the answers and "
                    + "votes of its own partition number, but '\(topics.questions)' has \(questions), "
                    + "'\(topics.answers)' \(answers) and '\(topics.votes)' \(votes); add partitions only before "
                    + "there is data, or copy the data into topics of equal counts")
        }
        return TopicLayout(questions: questions, enriched: enriched, deadLetter: deadLetter)
    }
}
