import KafkaClient
import Worker

extension Settings {
    /// The configuration of a worker with all its parts.
    var workerConfiguration: WorkerConfiguration { workerConfiguration(part: .all) }

    func workerConfiguration(part: WorkerPart) -> WorkerConfiguration {
        WorkerConfiguration(
            kafkaProperties: clientProperties,
            groupID: groupID,
            staticMembership: staticMembership,
            topics: topics,
            delivery: delivery,
            publishOn: publishOn,
            commitInterval: .milliseconds(commitIntervalMilliseconds),
            lanes: lanes,
            stateDirectory: storeDirectory,
            maxRecordBytes: maxRecordBytes,
            memoryBudgetMiB: memoryBudgetMiB,
            offsetMismatch: offsetMismatch,
            publishesProvenance: publishesProvenance,
            sources: sources,
            registry: registry,
            sourceLanes: sourceLanes,
            part: part)
    }
}
