import Foundation
import KafkaClient
import Logging
import Synchronization
import Worker

/// Opens a dead letter: the record that it was made of, as its topic has it, and why the worker set it aside. One at a time, so
/// that the reader costs the worker and the cluster no more than one consumer. What can be opened are the worker's last dead
/// letters, which the dashboard lists.
package final class DeadLetterLookup: Sendable {
    /// Blocks its thread until it knows, the deadline is over, or the search is cancelled.
    package typealias Read =
        @Sendable (
            _ place: TopicPartition, _ offset: Int64, _ deadline: ContinuousClock.Instant,
            _ cancellation: SearchCancellation
        ) throws -> SourceRecord?

    private static let patience = Duration.seconds(10)

    private let read: Read
    private let isBusy = Atomic(false)

    /// - Parameter properties: a consumer's, with the user's over them.
    package convenience init(properties: KafkaProperties, logger: Logger) {
        let properties = properties.overlaid(
            by: KafkaProperties([
                // Of one partition, and for a moment.
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

    /// librdkafka's calls block, so it has a thread of its own.
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

/// What came of opening a dead letter.
enum DeadLetterOutcome: Sendable, Equatable {
    case opened(DeadLetterNote, SourceRecord)
    /// Its topic does not have the record any more.
    case forgotten(DeadLetterNote)
    /// Not among the last ones that the worker tells of.
    case unknown
    /// Another one is being opened.
    case busy
    /// No answer from the cluster, or a refusal: a sentence.
    case unreachable(String)
}
