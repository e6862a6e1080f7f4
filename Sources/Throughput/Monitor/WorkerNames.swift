import Worker

/// A worker's names, written in every line of its throughput log and beside its metrics.
package struct WorkerNames: Sendable, Equatable {
    /// Rejoinder's version.
    package var version: String
    /// The consumer group.
    package var group: String
    /// The worker's identity, from its state directory.
    package var worker: String
    /// `exactly-once` or `at-least-once`.
    package var delivery: String
    /// The names of input and output topics.
    package var topics: TopicNames

    /// - Parameters:
    ///   - worker: the identity from the state directory.
    ///   - delivery: `exactly-once` or `at-least-once`.
    package init(version: String, group: String, worker: String, delivery: String, topics: TopicNames) {
        self.version = version
        self.group = group
        self.worker = worker
        self.delivery = delivery
        self.topics = topics
    }
}
