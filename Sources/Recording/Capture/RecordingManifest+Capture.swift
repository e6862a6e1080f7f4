import Foundation
import KafkaClient

extension RecordingManifest {
    /// Describes a capture that has ended.
    /// - Parameters:
    ///   - window: the bounds as they were asked for.
    ///   - rejoinder: the program's version.
    package init(
        _ capture: Capture, _ summary: CaptureSummary, window: Window, redaction: Redaction?, rejoinder: String
    ) {
        let topics = summary.records.map { topic, count in
            let partitions = summary.offsets.filter { $0.key.topic == topic }.sorted { $0.key < $1.key }
            return Topic(
                topic: capture.renaming.apply(to: topic), records: count,
                partitions: partitions.map {
                    Partition(partition: $0.key.partition, from: $0.value.lowerBound, to: $0.value.upperBound)
                })
        }
        let ended: End =
            switch summary.end {
            case .complete: .complete
            case .stopped: .stopped
            case .failed, nil: .failed
            }
        self.init(
            rejoinder: rejoinder, librdkafka: KafkaProperties.librdkafkaVersion, recordedAt: Date(), window: window,
            topics: topics, times: summary.times, ended: ended,
            gaps: summary.holes.map {
                Gap(
                    topic: capture.renaming.apply(to: $0.partition.topic), partition: $0.partition.partition,
                    from: $0.offsets.lowerBound, to: $0.offsets.upperBound)
            })
        sample = capture.sample?.text
        keys = capture.keys.isEmpty ? nil : capture.keys.count
        redacted = redaction?.fields.map(\.name)
        uncommitted = capture.readsUncommitted ? true : nil
    }
}
