import Foundation
import KafkaClient
import Logging
import Synchronization
import Worker

/// The result of looking for a question's latest event in the stores.
package enum StoredQuestionEvent: Sendable, Equatable {
    case found(QuestionEvent)
    /// None of the events below the offset, all of which the store has read.
    case absent(below: Int64)
    /// The stores do not keep the questions, or this one cannot be read: its topic is searched.
    case unknown
}

/// Looks up a question: its latest event, and the record that the worker would publish for it now. One at a time, so
/// that readers cost the worker and the cluster one consumer at most.
package final class QuestionLookup: Sendable {
    /// Blocks its thread until the event is found, the deadline passes, or the search is cancelled.
    typealias Find =
        @Sendable (
            _ id: [UInt8], _ place: TopicPartition, _ deadline: ContinuousClock.Instant,
            _ cancellation: SearchCancellation
        ) throws -> QuestionEvent?
    /// Asks the partition's lane for the record that it would publish.
    package typealias Ask =
        @Sendable (_ key: [UInt8], _ value: [UInt8], _ partition: Int32) async ->
        Worker.Preview

    private static let patience = Duration.seconds(10)
    private static let longestID = 200

    private let topic: String
    private let partitionCount: Int32
    private let reports: [LaneReport]
    private let find: Find
    private let preview: Ask
    private let isBusy = Atomic(false)

    /// - Parameters:
    ///   - partitionCount: of the questions' topic.
    ///   - properties: a `read_committed` consumer's, overlaid by the user's.
    ///   - stored: looks for the event in the stores, where they keep it, which saves the search of the topic.
    ///   - preview: asks the partition's lane.
    package convenience init(
        topic: String, partitionCount: Int32, properties: KafkaProperties, reports: [LaneReport], logger: Logger,
        stored: @escaping @Sendable (_ id: [UInt8], _ place: TopicPartition) -> StoredQuestionEvent = { _, _ in .unknown
        },
        preview: @escaping Ask
    ) {
        let properties = properties.overlaid(
            by: KafkaProperties([
                // For one partition, and for a moment.
                "queued.max.messages.kbytes": "16384",
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
            ]))
        self.init(
            topic: topic, partitionCount: partitionCount, reports: reports,
            find: { id, place, deadline, cancellation in
                var start: Int64 = 0
                switch stored(id, place) {
                case .found(let event): return event
                // Only the newest events can be the question's: those that the lane has not worked on yet, or has not
                // committed to the store's file.
                case .absent(let below): start = below
                case .unknown: break
                }
                let event = try QuestionSearch.latest(
                    of: id, in: place, from: start, properties: properties, deadline: deadline,
                    cancellation: cancellation, logger: logger)
                if event == nil, start > 0 { throw QuestionSearch.Failure.notStored }
                return event
            }, preview: preview)
    }

    init(
        topic: String, partitionCount: Int32, reports: [LaneReport], find: @escaping Find, preview: @escaping Ask
    ) {
        self.topic = topic
        self.partitionCount = partitionCount
        self.reports = reports
        self.find = find
        self.preview = preview
    }

    /// - Parameters:
    ///   - partition: the events' partition, for producers that do not place by the key's murmur2 hash.
    ///   - cancellation: cancelled when the client has gone.
    func lookUp(_ id: [UInt8], partition: Int32?, cancellation: SearchCancellation) async -> QuestionOutcome {
        guard !id.isEmpty, id.count <= Self.longestID else { return .noID }
        let number = partition ?? KeyHash.partition(of: id, of: partitionCount)
        guard number >= 0, number < partitionCount else { return .noPartition(number) }
        let place = TopicPartition(topic: topic, partition: number)
        let lanes = reports.map(\.current)
        guard lanes.contains(where: { $0.partitions.contains(number) || $0.restoring.contains(number) }) else {
            return .notOwned(place)
        }
        if lanes.contains(where: { $0.restoring.contains(number) }) { return .restoring(place) }
        guard !isBusy.exchange(true, ordering: .acquiringAndReleasing) else { return .busy }
        defer { isBusy.store(false, ordering: .releasing) }
        do {
            guard let event = try await search(id, in: place, cancellation: cancellation) else {
                return .notFound(place)
            }
            guard let value = event.value else { return .deleted(event) }
            return switch await preview(id, value, number) {
            case .enriched(let bytes): .enriched(bytes, event)
            case .refused(let code, let reason): .refused(code, reason, event)
            case .notOwned: .notOwned(place)
            case .restoring: .restoring(place)
            case .busy: .noAnswer(place)
            }
        } catch QuestionSearch.Failure.tooLong(let events) {
            return .tooLong(place, events: events)
        } catch QuestionSearch.Failure.notStored {
            return .notStored(place)
        } catch QuestionSearch.Failure.unreachable(let reason) {
            return .unreachable(reason)
        } catch {
            return .noAnswer(place)
        }
    }

    /// Runs on a thread of its own, since librdkafka's calls block.
    private func search(
        _ id: [UInt8], in place: TopicPartition, cancellation: SearchCancellation
    ) async throws -> QuestionEvent? {
        let deadline = ContinuousClock.now + Self.patience
        return try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { [find] in
                continuation.resume(with: Result { try find(id, place, deadline, cancellation) })
            }
            thread.name = "question-lookup"
            thread.start()
        }
    }
}
