/// The names of the five topics a worker lives between.
package struct TopicNames: Sendable, Equatable {
    package var questions: String
    package var answers: String
    package var votes: String
    package var enriched: String
    package var deadLetter: String
    /// Where the sources keep what they know of the rows that they have published; used where there are sources.
    package var sourceIndex: String

    package init(
        questions: String = "questions",
        answers: String = "answers",
        votes: String = "votes",
        enriched: String = "questions.enriched",
        deadLetter: String = "questions.dead-letter",
        sourceIndex: String = "questions.source-index"
    ) {
        self.questions = questions
        self.answers = answers
        self.votes = votes
        self.enriched = enriched
        self.deadLetter = deadLetter
        self.sourceIndex = sourceIndex
    }

    /// What is read: the questions, and the two tables that are attached to them.
    package var inputs: [String] { [questions, answers, votes] }

    /// What is written.
    package var outputs: [String] { [enriched, deadLetter] }
}
