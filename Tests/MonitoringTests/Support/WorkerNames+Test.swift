@testable import Throughput
@testable import Worker

extension WorkerNames {
    static let test = WorkerNames(
        version: "1.2.3", group: "readers", worker: "w-1", delivery: "exactly-once", topics: TopicNames())
}
