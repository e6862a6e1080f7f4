import Bytes

/// A visible answer as stored. The bytes belong to the store; see `AnswerStore.lookup`.
package struct StoredAnswer {
    /// The answer's id, unescaped.
    package var id: Bytes
    /// The answer record's value, byte for byte.
    package var json: Bytes
    /// The tally: the base of a *counted* record and the voters' current votes.
    package var voteCount: Int64
    /// nil: the record has none.
    package var answeredAt: Instant?

    /// - Parameter json: the answer record's value, byte for byte.
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
    /// The number of answers in the list.
    package private(set) var count = 0

    /// An empty list with memory for some dozen answers.
    package init() {
        capacity = 32
        elements = .allocate(capacity: capacity)
    }

    deinit { elements.deallocate() }

    /// A copy of the answer; its bytes still belong to the store. Stops the process for an index that has none.
    package subscript(index: Int) -> StoredAnswer {
        precondition(index >= 0 && index < count, "no such answer in the list")
        return elements[index]
    }

    /// The answers, for sorting in place; valid until the list changes.
    package var buffer: UnsafeMutableBufferPointer<StoredAnswer> {
        UnsafeMutableBufferPointer(start: elements, count: count)
    }

    /// Adds an answer at the end, without copying its bytes.
    package func append(_ answer: StoredAnswer) {
        if count == capacity { grow() }
        (elements + count).initialize(to: answer)
        count += 1
    }

    /// Empties the list and keeps its memory.
    package func removeAll() { count = 0 }

    private func grow() {
        let larger = UnsafeMutablePointer<StoredAnswer>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: elements, count: count)
        elements.deallocate()
        elements = larger
        capacity *= 2
    }
}
