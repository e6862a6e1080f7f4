@testable import Report

/// Surveys an input as one log, whole and in two pieces: where a piece ends may not matter.
final class LogsBody {
    func run(_ input: UnsafeRawBufferPointer) {
        let whole = survey([input])
        let middle = input.count / 2
        let pieces = survey([
            UnsafeRawBufferPointer(rebasing: input[..<middle]), UnsafeRawBufferPointer(rebasing: input[middle...]),
        ])
        precondition(whole == pieces, "what a log holds depends on how it is read")
    }

    private func survey(_ pieces: [UnsafeRawBufferPointer]) -> [LogSurvey.Source] {
        var survey = LogSurvey()
        survey.begin("log")
        for piece in pieces { survey.feed(piece) }
        survey.end()
        survey.arrange()
        return survey.sources
    }
}
