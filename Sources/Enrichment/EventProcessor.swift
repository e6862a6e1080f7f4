import AnswerStore
import Bytes
import Records

/// The result of processing a question event.
package enum EventOutcome {
    /// The value to publish, valid until the next event is processed.
    case enriched(Bytes, attached: Int, omitted: Int)
    /// The question was deleted: publish a null value.
    case deleted
    /// The event cannot be processed: a dead letter.
    case refused(RecordError)
}

/// Enriches a question event: check, look up, render. Live events and recorded ones take this same path. Reused for
/// event after event; allocates nothing once its buffers have grown. One per lane, not Sendable.
package final class EventProcessor {
    private let reader = RecordReader()
    private let enricher = Enricher()
    private let answers = StoredAnswers()
    private let rendered: RenderedAnswers
    private var coming = ComingEvents()
    private let lookups = PreparedLookups()
    private let isPrefetching: Bool

    /// - Parameter renderedBytes: memory for rendered answers, so that a recurring question is neither looked up nor
    ///   rendered again.
    package init(renderedBytes: Int = 0) {
        isPrefetching = Prefetch.isOn
        rendered = RenderedAnswers(byteCount: isPrefetching ? renderedBytes : 0)
    }

    deinit { coming.deallocate() }

    /// The number of events that `expect` should hint ahead.
    package static let ahead = ComingEvents.ahead

    /// Hints the next event after those hinted already, so that its data is in the CPU's caches by the time it is
    /// processed. Affects nothing but speed.
    /// - Parameters:
    ///   - key: the event's key; must stay valid until the event is processed, or until `expectNothing`.
    ///   - store: the store with which the event will be processed.
    @inline(__always)
    package func expect(_ key: Bytes?, store: AnswerStore) {
        guard isPrefetching else { return }
        let hash = AnswerStore.hash(of: key ?? Bytes(start: nil, count: 0))
        coming.append(key, hash: hash)
        rendered.expect(hash)
        store.expectVersion(ofQuestionHashed: hash)
    }

    /// Drops the hints: other events come, or the next ones are unknown.
    @inline(__always)
    package func expectNothing() { coming.removeAll() }

    /// Prefetches for the upcoming events, the more of their data the nearer they are. Called before each event.
    @inline(__always)
    private func fetchAhead(_ store: AnswerStore) {
        guard coming.advance() else { return }
        if let hash = coming.near { rendered.fetch(hash) }
        guard let group = coming.nextGroup else { return }
        for number in group {
            let event = coming[number]
            // A question with a rendered tail needs no lookup.
            if !rendered.mayHold(event.hash) { lookups.add(event.key, number: number) }
        }
        store.prepare(lookups)
    }

    /// - Parameters:
    ///   - key: nil is Kafka's null.
    ///   - value: nil is Kafka's null: the question was deleted.
    ///   - store: the store of the event's partition.
    ///   - limit: the longest value in bytes that can be published for this event; negative: not even a null value
    ///     fits.
    ///   - stamps: receives the time at which each phase ended; phases that the event did not reach take no time. nil:
    ///     no clock is read.
    /// - Throws: when the store cannot be read.
    package func process(
        key: Bytes?, value: Bytes?, store: AnswerStore, limit: Int, stamps: UnsafeMutablePointer<EventStamps>? = nil
    ) throws(StoreError) -> EventOutcome {
        fetchAhead(store)
        let record: QuestionRecord
        do throws(RecordError) {
            record = try reader.readQuestion(key: key, value: value)
        } catch {
            if let stamps { Self.ended(stamps) }
            return .refused(error)
        }
        guard case .question(let id) = record, let value else {
            if let stamps { Self.ended(stamps) }
            return limit < 0 ? .refused(Self.noRoom) : .deleted
        }
        if let stamps { stamps.pointee.checked = Monotonic.nanoseconds }
        return try enrich(
            id, value, store: store, limit: limit, prepared: coming.current.map { lookups[$0] }, stamps: stamps)
    }

    /// Processes a question kept by the store, which was checked before it was stored.
    /// - Throws: when the store cannot be read.
    package func process(
        stored id: Bytes, value: Bytes, store: AnswerStore, limit: Int
    ) throws(StoreError) -> EventOutcome {
        try enrich(id, value, store: store, limit: limit, prepared: nil, stamps: nil)
    }

    @inline(__always)
    private func enrich(
        _ id: Bytes, _ value: Bytes, store: AnswerStore, limit: Int, prepared: UnsafePointer<PreparedRows>?,
        stamps: UnsafeMutablePointer<EventStamps>?
    ) throws(StoreError) -> EventOutcome {
        let hash = AnswerStore.hash(of: id)
        let version = store.version(ofQuestionHashed: hash)
        if let tail = rendered.find(id, hash: hash, version: version) {
            if let stamps { stamps.pointee.lookedUp = Monotonic.nanoseconds }
            if let bytes = enricher.splice(question: value, tail: tail.bytes, limit: limit) {
                if let stamps { stamps.pointee.rendered = Monotonic.nanoseconds }
                return .enriched(bytes, attached: tail.attached, omitted: 0)
            }
        }
        try store.lookup(question: id, prepared: prepared, into: answers)
        if let stamps { stamps.pointee.lookedUp = Monotonic.nanoseconds }
        let rendering = enricher.render(question: value, answers: answers, limit: limit)
        if let stamps { stamps.pointee.rendered = Monotonic.nanoseconds }
        switch rendering {
        case .record(let bytes, let attached, let omitted):
            if omitted == 0 {
                let tail = Enricher.tail(of: bytes, question: value)
                rendered.keep(.init(bytes: tail, attached: attached), of: id, hash: hash, version: version)
            }
            return .enriched(bytes, attached: attached, omitted: omitted)
        case .tooLarge(let error):
            return .refused(error)
        }
    }

    private static func ended(_ stamps: UnsafeMutablePointer<EventStamps>) {
        let now = Monotonic.nanoseconds
        stamps.pointee.checked = now
        stamps.pointee.lookedUp = now
        stamps.pointee.rendered = now
    }

    private static let noRoom = RecordError(
        code: .tooLarge, message: "key and headers leave no room within the producer's message.max.bytes")
}
