import Bytes

// Changes of the questions themselves, for stores that keep them: when published records follow every change.
extension TableBatch {
    struct QuestionChange {
        /// The key's offset in the arena: length of the question id, question id.
        var keyOffset: Int
        var keyLength: Int
        /// The headers' offset in the arena.
        var headersOffset: Int
        var headersLength: Int
        /// nil: the question was deleted.
        var event: Event?

        struct Event {
            var value: Bytes
            var timestamp: Int64?
            var offset: Int64
            var isRefused: Bool
        }
    }

    var questions: GrowingBuffer<QuestionChange> { contents.pointee.questions }

    /// Sets the timestamp of the record whose changes follow: milliseconds since 1970, or nil if unknown.
    /// - Parameter isPublished: whether the record's effects were published before.
    package func stamp(_ timestamp: Int64?, isPublished: Bool) {
        contents.pointee.stamp = isPublished ? ChangeMarks.published : timestamp ?? ChangeMarks.noTimestamp
    }

    /// - Parameters:
    ///   - id: 1 to 200 bytes; a question with another id can neither be stored nor asked, and is ignored.
    ///   - question: nil: it was deleted. Its value must stay valid until the batch is applied; its headers are copied.
    package func append(question id: Bytes, _ question: StoredQuestion?) {
        let offset = contents.pointee.arena.count
        guard appendKey(id, nil) else { return }
        let headers = contents.pointee.arena.count
        if let question {
            contents.pointee.arena.append(contentsOf: question.headers)
            contents.pointee.jsonBytes += question.value.count
        }
        contents.pointee.questions.append(
            QuestionChange(
                keyOffset: offset, keyLength: headers - offset, headersOffset: headers,
                headersLength: contents.pointee.arena.count - headers,
                event: question.map {
                    .init(value: $0.value, timestamp: $0.timestamp, offset: $0.offset, isRefused: $0.isRefused)
                }))
    }

    /// Adds a change from another batch.
    /// - Parameter key: the id's length, then the id.
    func append(questionKey key: Bytes, _ question: StoredQuestion?) {
        append(question: key.piece(1, key.count - 1), question)
    }

    /// Sorts the changes' indices by question, equal questions in record order.
    func orderQuestions(into order: inout GrowingBuffer<UInt32>) {
        contents.pointee.arena.reserve(KeySorter.slack)
        let (questions, keys) = (self.questions, self.keys)
        order.fillWithIndices(questions.count)
        contents.pointee.sorter.sort(order.elements, 0..<questions.count) { keys.key(of: questions[Int($0)]) }
    }
}

extension TableKeys {
    @inline(__always)
    func key(of change: TableBatch.QuestionChange) -> Bytes {
        arena.bytes(at: change.keyOffset, count: change.keyLength)
    }

    /// The question to store; nil: a deletion.
    func question(of change: TableBatch.QuestionChange) -> StoredQuestion? {
        change.event.map {
            StoredQuestion(
                value: $0.value, headers: arena.bytes(at: change.headersOffset, count: change.headersLength),
                timestamp: $0.timestamp, offset: $0.offset, isRefused: $0.isRefused)
        }
    }
}
