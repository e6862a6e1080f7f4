import Foundation
import KafkaClient
import Logging
import Synchronization
import Worker

/// Opens one of the worker's last dead letters, which the dashboard lists: the record from its topic, and the reason
/// why the worker set it aside. One at a time, so that readers cost the worker and the cluster one consumer at most.
package final class DeadLetterLookup: Sendable {
    /// Blocks its thread until the record is read, the deadline passes, or the search is cancelled.
    typealias Read =
        @Sendable (
            _ place: TopicPartition, _ offset: Int64, _ deadline: ContinuousClock.Instant,
            _ cancellation: SearchCancellation
        ) throws -> SourceRecord?

    private static let patience = Duration.seconds(10)

    private let read: Read
    private let isBusy = Atomic(false)

    /// - Parameter properties: a consumer's, overlaid by the user's.
    package convenience init(properties: KafkaProperties, logger: Logger) {
        let properties = properties.overlaid(
            by: KafkaProperties([
                // For one partition, and for a moment.
                "queued.max.messages.kbytes": "16384",
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
            ]))
        self.init { place, offset, deadline, cancellation in
            try SourceRecord.read(
                place, at: offset, properties: properties, deadline: deadline, cancellation: cancellation,
                logger: logger)
        }
    }

    init(read: @escaping Read) { self.read = read }

    func open(_ note: DeadLetterNote, cancellation: SearchCancellation) async -> DeadLetterOutcome {
        guard !isBusy.exchange(true, ordering: .acquiringAndReleasing) else { return .busy }
        defer { isBusy.store(false, ordering: .releasing) }
        do {
            guard let record = try await record(note, cancellation: cancellation) else { return .forgotten(note) }
            return .opened(note, record)
        } catch QuestionSearch.Failure.unreachable(let reason) {
            return .unreachable(reason)
        } catch {
            return .unreachable("the record did not come within \(Self.patience.components.seconds) s")
        }
    }

    /// Runs on a thread of its own, since librdkafka's calls block.
    private func record(_ note: DeadLetterNote, cancellation: SearchCancellation) async throws -> SourceRecord? {
        let deadline = ContinuousClock.now + Self.patience
        return try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { [read] in
                continuation.resume(
                    with: Result { try read(note.place, note.offset, deadline, cancellation) })
            }
            thread.name = "dead-letter-lookup"
            thread.start()
        }
    }
}

/// The result of opening a dead letter.
enum DeadLetterOutcome: Sendable, Equatable {
    case opened(DeadLetterNote, SourceRecord)
    /// The topic does not hold the record any more.
    case forgotten(DeadLetterNote)
    /// Not among the worker's last dead letters.
    case unknown
    /// Another dead letter is being opened.
    case busy
    /// No answer from the cluster, or a refusal: a sentence.
    case unreachable(String)
}
