/// The names of a worker's five topics, and of the sources' index.
package struct TopicNames: Sendable, Equatable {
    /// Input: questions asked, edited and deleted.
    package var questions: String
    /// Input: a table.
    package var answers: String
    /// Input: a table.
    package var votes: String
    /// Output: questions with their answers and votes.
    package var enriched: String
    /// Output: records that cannot be processed.
    package var deadLetter: String
    /// Topic in which the sources keep the state of the rows that they have published; used where there are sources.
    package var sourceIndex: String

    /// The defaults are the documented ones (docs/configuration.md).
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

    /// Topics that are read: the questions, and the two tables that are attached to them.
    package var inputs: [String] { [questions, answers, votes] }

    /// Topics that are written.
    package var outputs: [String] { [enriched, deadLetter] }
}
