import AnswerStore
import Bytes
import Records

/// The two tables joined to questions.
package enum Table: Int, CaseIterable, Sendable {
    case answers, votes
}

/// Turns a table record's bytes into a change of the store. Live records and recorded ones take this same path. One per
/// lane, not Sendable.
package final class TableReader {
    private let reader = RecordReader()

    /// A reader with memory of its own.
    package init() {}

    /// Checks a record without applying it, for example when the store already contains it.
    package func check(_ table: Table, key: Bytes?, value: Bytes?) throws(RecordError) {
        switch table {
        case .answers: _ = try reader.readAnswer(key: key, value: value)
        case .votes: _ = try reader.readVote(key: key, value: value)
        }
    }

    /// Checks a question event and adds its change of the store's questions to a batch. An invalid event changes
    /// nothing.
    /// - Parameters:
    ///   - question: the event as the store keeps it; its value must stay valid until the batch is applied. nil: the
    ///     question was deleted.
    package func readQuestion(key: Bytes?, question: StoredQuestion?, into batch: TableBatch) {
        guard let key, (try? reader.readQuestion(key: key, value: question?.value)) != nil else { return }
        batch.append(question: key, question)
    }

    /// Checks a record and adds its changes to a batch.
    /// - Parameter value: must stay valid until the batch is applied. nil is Kafka's null.
    /// - Throws: the reason to dead-letter the record; the batch is unchanged.
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
