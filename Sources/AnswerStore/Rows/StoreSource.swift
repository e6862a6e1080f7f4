/// The origin of a store's content. A store with another origin is rebuilt.
package struct StoreSource: Equatable, Sendable {
    /// The Kafka cluster's id, as reported by the broker.
    package var clusterID: String
    /// The topic of ``TablePositions/answers``.
    package var answersTopic: String
    /// The topic of ``TablePositions/votes``.
    package var votesTopic: String
    /// The partition number, the same in all topics.
    package var partition: Int32

    /// - Parameter clusterID: the id that the brokers report.
    package init(clusterID: String, answersTopic: String, votesTopic: String, partition: Int32) {
        self.clusterID = clusterID
        self.answersTopic = answersTopic
        self.votesTopic = votesTopic
        self.partition = partition
    }
}

/// The offsets of the next records to apply; all 0 in a new store.
package struct TablePositions: Equatable, Sendable {
    /// In the answers topic.
    package var answers: Int64
    /// In the votes topic.
    package var votes: Int64
    /// 0 if the store does not keep the questions.
    package var questions: Int64

    /// Of a new store by default.
    package init(answers: Int64 = 0, votes: Int64 = 0, questions: Int64 = 0) {
        self.answers = answers
        self.votes = votes
        self.questions = questions
    }
}

/// The size of a store's content.
package struct StoreUsage: Equatable, Sendable {
    /// Bytes of the data file ever used, including freed pages, which are reused.
    package var bytes: Int
    /// Visible answers.
    package var answerRows: Int
    /// Voters' current votes that are not 0.
    package var voteRows: Int
    /// Questions asked and not deleted, if the store keeps them.
    package var questionRows: Int

    /// Of an empty store by default.
    package init(bytes: Int = 0, answerRows: Int = 0, voteRows: Int = 0, questionRows: Int = 0) {
        self.bytes = bytes
        self.answerRows = answerRows
        self.voteRows = voteRows
        self.questionRows = questionRows
    }
}
