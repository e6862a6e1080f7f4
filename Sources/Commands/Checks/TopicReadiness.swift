import Foundation
import KafkaClient
import Worker

/// Waits until newly created topics are usable.
///
/// A cluster reports a topic as created before its partitions have leaders, and before all brokers know of them. A
/// leader that answers a query for a partition's offsets is ready for all requests.
struct TopicReadiness {
    let admin: AdminClient
    /// Longest time for all partitions together.
    var patience = Duration.seconds(30)

    /// - Throws: ``WorkerError`` that names a partition whose leader does not answer in time.
    func wait(for partitions: [TopicPartition]) throws(WorkerError) {
        let deadline = ContinuousClock.now + patience
        for place in partitions {
            while let failure = failure(of: place, until: deadline) {
                guard .now < deadline else {
                    throw WorkerError(
                        .brokerUnreachable,
                        "The topics are made, but \(place) cannot be used yet: \(failure.reason) (\(failure.name)); "
                            + "see that all brokers run, and ask with 'rejoinder check' before you start workers")
                }
                // librdkafka keeps an answer that a broker gave before it knew the partition, for minutes; a query for
                // the topic replaces it.
                _ = try? admin.partitionCounts(of: [place.topic], timeout: .seconds(2))
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }

    /// Queries a partition's offsets; nil: its leader answered.
    private func failure(of place: TopicPartition, until deadline: ContinuousClock.Instant) -> KafkaError? {
        do throws(KafkaError) {
            _ = try admin.watermarks(of: place, timeout: max(.milliseconds(100), min(.seconds(2), deadline - .now)))
            return nil
        } catch {
            return error
        }
    }
}
