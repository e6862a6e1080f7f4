import KafkaClient
import SchemaRegistry
import Sources

/// The parts of a worker that a process runs.
package enum WorkerPart: String, CaseIterable, Sendable {
    case all, questions, sources
}

/// A worker's settings, as the user gave them. ``ClientProperties`` derives librdkafka's settings from them.
package struct WorkerConfiguration: Sendable {
    /// librdkafka properties by name, `bootstrap.servers` among them; they win over the worker's own choices.
    package var kafkaProperties: KafkaProperties
    /// The consumer group whose members share the partitions of the questions.
    package var groupID: String
    /// Whether the lane's identity is also its `group.instance.id`, so that a quick restart moves no partition
    /// (KIP-345).
    package var staticMembership: Bool
    /// The names of the input and output topics.
    package var topics: TopicNames
    /// The guarantee, `exactly-once` or `at-least-once`.
    package var delivery: DeliveryMode
    /// The changes that publish a question.
    package var publishOn: PublishMode
    /// Longest time that consumed events wait for their commit under load.
    package var commitInterval: Duration
    /// Threads that consume, each a group member with partitions of its own. At least 1.
    package var lanes: Int
    /// Directory of the stores and the worker's identity.
    package var stateDirectory: String
    /// Longest enriched value in bytes; nil: the room that the producer's `message.max.bytes` leaves.
    package var maxRecordBytes: Int?
    /// Memory for librdkafka's queues and the worker's buffers, over all lanes, in MiB.
    package var memoryBudgetMiB: Int
    /// The reaction to group offsets that do not match the topics' logs.
    package var offsetMismatch: OffsetMismatchPolicy
    /// Whether enriched records have the header `rejoinder.from`.
    package var publishesProvenance: Bool
    /// Topics of other systems whose records become contract records.
    package var sources: [SourceMapping]
    /// The schema registry of the sources; nil: none is configured.
    package var registry: RegistryConfiguration?
    /// Threads that work on the sources, each a member of their group. At least 1.
    package var sourceLanes: Int
    /// The lanes that this process runs.
    package var part: WorkerPart

    /// The defaults are the documented ones (docs/configuration.md). Nothing is checked: see ``firstProblem``.
    package init(
        kafkaProperties: KafkaProperties,
        groupID: String = "rejoinder",
        staticMembership: Bool = false,
        topics: TopicNames = TopicNames(),
        delivery: DeliveryMode = .exactlyOnce,
        publishOn: PublishMode = .questions,
        commitInterval: Duration = .milliseconds(100),
        lanes: Int = 1,
        stateDirectory: String = "state",
        maxRecordBytes: Int? = nil,
        memoryBudgetMiB: Int = 256,
        offsetMismatch: OffsetMismatchPolicy = .stop,
        publishesProvenance: Bool = false,
        sources: [SourceMapping] = [],
        registry: RegistryConfiguration? = nil,
        sourceLanes: Int = 1,
        part: WorkerPart = .all
    ) {
        self.kafkaProperties = kafkaProperties
        self.groupID = groupID
        self.staticMembership = staticMembership
        self.topics = topics
        self.delivery = delivery
        self.publishOn = publishOn
        self.commitInterval = commitInterval
        self.lanes = lanes
        self.stateDirectory = stateDirectory
        self.maxRecordBytes = maxRecordBytes
        self.memoryBudgetMiB = memoryBudgetMiB
        self.offsetMismatch = offsetMismatch
        self.publishesProvenance = publishesProvenance
        self.sources = sources
        self.registry = registry
        self.sourceLanes = sourceLanes
        self.part = part
    }

    /// Whether the process has lanes of questions.
    package var runsQuestions: Bool { part != .sources }
    /// Whether the process has lanes of the sources.
    package var runsSources: Bool { part != .questions && !sources.isEmpty }

    /// The settings of the questions' lanes: the memory is reduced by the sources' share.
    var ofQuestions: WorkerConfiguration {
        guard runsSources else { return self }
        var own = self
        own.memoryBudgetMiB = max(64, memoryBudgetMiB - memoryBudgetMiB / 4)
        return own
    }

    /// The settings of the source lanes: a group of their own, and a quarter of the memory where they share it.
    package var ofSources: WorkerConfiguration {
        var own = self
        own.groupID = groupID + "-sources"
        own.lanes = sourceLanes
        if runsQuestions { own.memoryBudgetMiB = max(64, memoryBudgetMiB / 4) }
        return own
    }

    /// The topics that a worker needs: its own, and the one of the sources' index.
    package var allTopics: [String] {
        topics.inputs + topics.outputs + (sources.isEmpty ? [] : [topics.sourceIndex])
    }

    /// The first invalid setting, as a sentence; nil: none.
    package var firstProblem: String? {
        if part == .sources, sources.isEmpty { return "there are no sources to run; list them under sources" }
        if sourceLanes < 1 { return "sourceLanes is \(sourceLanes); there is at least 1" }
        if lanes < 1 { return "lanes is \(lanes); a worker has at least 1" }
        if memoryBudgetMiB < 64 { return "memoryBudgetMiB is \(memoryBudgetMiB); the least is 64" }
        if commitInterval <= .zero { return "commitIntervalMs must be at least 1" }
        if let coalesce = publishOn.coalesce, coalesce < .zero { return "publish.coalesceMs must be at least 0" }
        if let maxRecordBytes, maxRecordBytes < 1 { return "maxRecordBytes is \(maxRecordBytes); the least is 1" }
        let names = topics.inputs + topics.outputs
        if let empty = zip(["questions", "answers", "votes", "enriched", "deadLetter"], names).first(where: {
            $1.isEmpty
        }) {
            return "topics.\(empty.0) is empty; name a topic"
        }
        if Set(names).count < names.count {
            return "Two of the five topics have one name (\(names.joined(separator: ", "))); each needs its own"
        }
        return nil
    }
}
