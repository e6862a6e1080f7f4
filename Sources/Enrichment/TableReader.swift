import AnswerStore
import Records

/// One of the two tables that are attached to questions.
package enum Table: Int, CaseIterable, Sendable {
    case answers, votes
}

/// Takes a table record from its bytes to a change of the store. The one way a table is read, whether its records come from
/// a cluster or from a recording. One per lane, not Sendable.
package final class TableReader {
    private let reader = RecordReader()

    package init() {}

    /// Checks a record without applying it, as where it is in the store already.
    package func check(_ table: Table, key: Bytes?, value: Bytes?) throws(RecordError) {
        switch table {
        case .answers: _ = try reader.readAnswer(key: key, value: value)
        case .votes: _ = try reader.readVote(key: key, value: value)
        }
    }

    /// Checks a question event and adds what it changes of the questions that the store keeps. One that cannot be processed changes
    /// nothing.
    /// - Parameters:
    ///   - question: the event as the store is to keep it; its value must stay valid until the batch is applied. nil: it has
    ///     none, the question was deleted.
    package func readQuestion(key: Bytes?, question: StoredQuestion?, into batch: TableBatch) {
        guard let key, (try? reader.readQuestion(key: key, value: question?.value)) != nil else { return }
        batch.append(question: key, question)
    }

    /// Checks a record and adds what it changes to a batch.
    /// - Parameter value: must stay valid until the batch is applied. nil is Kafka's null.
    /// - Throws: what makes it a dead letter; the batch is as before.
    package func read(_ table: Table, key: Bytes?, value: Bytes?, into batch: TableBatch) throws(RecordError) {
        switch table {
        case .answers:
            let record = try reader.readAnswer(key: key, value: value)
            batch.append(record, json: value ?? Bytes(start: nil, count: 0))
        case .votes:
            batch.append(try reader.readVote(key: key, value: value))
        }
    }
}
