import Bytes

/// A visible answer as stored. The bytes belong to the store; see `AnswerStore.lookup`.
package struct StoredAnswer {
    package var id: Bytes
    /// The answer record's value, byte for byte.
    package var json: Bytes
    package var voteCount: Int64
    package var answeredAt: Instant?

    package init(id: Bytes, json: Bytes, voteCount: Int64, answeredAt: Instant?) {
        self.id = id
        self.json = json
        self.voteCount = voteCount
        self.answeredAt = answeredAt
    }
}

/// A reusable list of a question's visible answers. Keeps the memory of the longest list; not Sendable, one per lane.
package final class StoredAnswers {
    private var elements: UnsafeMutablePointer<StoredAnswer>
    private var capacity: Int
    package private(set) var count = 0

    package init() {
        capacity = 32
        elements = .allocate(capacity: capacity)
    }

    deinit { elements.deallocate() }

    package subscript(index: Int) -> StoredAnswer {
        precondition(index >= 0 && index < count, "no such answer in the list")
        return elements[index]
    }

    /// The answers, for sorting in place; valid until the list changes.
    package var buffer: UnsafeMutableBufferPointer<StoredAnswer> {
        UnsafeMutableBufferPointer(start: elements, count: count)
    }

    package func append(_ answer: StoredAnswer) {
        if count == capacity { grow() }
        (elements + count).initialize(to: answer)
        count += 1
    }

    package func removeAll() { count = 0 }

    private func grow() {
        let larger = UnsafeMutablePointer<StoredAnswer>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: elements, count: count)
        elements.deallocate()
        elements = larger
        capacity *= 2
    }
}
