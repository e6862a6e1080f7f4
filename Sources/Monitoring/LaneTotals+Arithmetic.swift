import Records
import Worker

extension LaneTotals {
    static func + (one: LaneTotals, other: LaneTotals) -> LaneTotals { one.combined(with: other, by: &+) }

    /// What has been added since `other`.
    static func - (one: LaneTotals, other: LaneTotals) -> LaneTotals { one.combined(with: other, by: &-) }

    private func combined(with other: LaneTotals, by operation: (Int, Int) -> Int) -> LaneTotals {
        var result = LaneTotals()
        result.recordsIn = operation(recordsIn, other.recordsIn)
        result.bytesIn = operation(bytesIn, other.bytesIn)
        result.recordsOut = operation(recordsOut, other.recordsOut)
        result.bytesOut = operation(bytesOut, other.bytesOut)
        result.answersAttached = operation(answersAttached, other.answersAttached)
        result.questionsWithoutAnswers = operation(questionsWithoutAnswers, other.questionsWithoutAnswers)
        result.answersOmitted = operation(answersOmitted, other.answersOmitted)
        result.tableAnswers = operation(tableAnswers, other.tableAnswers)
        result.tableVotes = operation(tableVotes, other.tableVotes)
        result.tableBytes = operation(tableBytes, other.tableBytes)
        result.answersRead = operation(answersRead, other.answersRead)
        result.votesRead = operation(votesRead, other.votesRead)
        result.answerBytesRead = operation(answerBytesRead, other.answerBytesRead)
        result.voteBytesRead = operation(voteBytesRead, other.voteBytesRead)
        for code in RecordErrorCode.allCases {
            result.deadLetters[code] = operation(deadLetters[code], other.deadLetters[code])
        }
        result.commits = operation(commits, other.commits)
        result.aborts = operation(aborts, other.aborts)
        result.rebalances = operation(rebalances, other.rebalances)
        return result
    }

    /// Nothing came in.
    var isIdle: Bool { recordsIn == 0 && tableAnswers == 0 && tableVotes == 0 && deadLetters.total == 0 }
}
