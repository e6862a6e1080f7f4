/// What a store's content came from. A store that says something else of itself is rebuilt.
package struct StoreSource: Equatable, Sendable {
    /// The Kafka cluster's id, as the broker tells it.
    package var clusterID: String
    package var answersTopic: String
    package var votesTopic: String
    package var partition: Int32

    package init(clusterID: String, answersTopic: String, votesTopic: String, partition: Int32) {
        self.clusterID = clusterID
        self.answersTopic = answersTopic
        self.votesTopic = votesTopic
        self.partition = partition
    }
}

/// The offsets of the next records to apply; all 0 in a new store.
package struct TablePositions: Equatable, Sendable {
    package var answers: Int64
    package var votes: Int64
    /// 0 where the store does not keep the questions.
    package var questions: Int64

    package init(answers: Int64 = 0, votes: Int64 = 0, questions: Int64 = 0) {
        self.answers = answers
        self.votes = votes
        self.questions = questions
    }
}

/// How a store came to be open.
package enum StoreOpening: Equatable, Sendable {
    /// There was nothing; it is new and empty.
    case created
    /// What was there is whole and goes on from its positions.
    case resumed
    /// What was there could not be trusted and has been deleted; the store is empty. The reason is for people.
    case rebuilt(reason: String)
}

/// An opened store, and how it came to be open.
package struct OpenedStore {
    package let store: AnswerStore
    package let opening: StoreOpening
}

/// How much a store holds.
package struct StoreUsage: Equatable, Sendable {
    /// Bytes of the data file that have ever been used; freed pages, which are used again, included.
    package var bytes: Int
    /// Visible answers.
    package var answerRows: Int
    /// Voters' current votes that are not 0.
    package var voteRows: Int
    /// Questions that were asked and not deleted, where the store keeps them.
    package var questionRows: Int

    package init(bytes: Int = 0, answerRows: Int = 0, voteRows: Int = 0, questionRows: Int = 0) {
        self.bytes = bytes
        self.answerRows = answerRows
        self.voteRows = voteRows
        self.questionRows = questionRows
    }
}
