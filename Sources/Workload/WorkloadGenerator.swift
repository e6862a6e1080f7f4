/// Generates a plan's records one by one, in its own memory. Not Sendable.
///
/// All records are valid. Their lengths follow the plan as far as the required fields permit; optional fields are left
/// out where they do not fit.
package final class WorkloadGenerator {
    /// The topics of a workload; the raw values are the words of `generate`.
    package enum Topic: String, Sendable, CaseIterable {
        case answers
        case votes
        case questions
    }

    /// Key and value are valid during the call.
    package typealias Receiver = (Topic, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Void

    private enum Stream {
        static let answerCounts: UInt64 = 1
        static let answers: UInt64 = 2
        static let votes: UInt64 = 3
        static let traffic: UInt64 = 4
        static let life: UInt64 = 5
    }

    /// The numbers, sizes and subjects of the records.
    package let plan: WorkloadPlan
    private let picker: QuestionPicker
    private let spread: Spread
    private var key: ValueWriter
    private var value: ValueWriter

    /// - Parameter plan: within the limits that `generate` checks; memory for its longest record is allocated here.
    package init(_ plan: WorkloadPlan) {
        self.plan = plan
        picker = QuestionPicker(plan)
        spread = Spread(count: plan.questions, seed: plan.seed ^ 0xA5)
        key = ValueWriter(.allocate(byteCount: 64, alignment: 8))
        // An eighth more than the mean, plus the required fields, which a small mean may not cover.
        let longest = max(plan.answerBytes, plan.eventBytes)
        value = ValueWriter(.allocate(byteCount: longest + longest / 8 + 2_048, alignment: 8))
    }

    deinit {
        key.start.deallocate()
        value.start.deallocate()
    }

    /// The total number of answers.
    package var answerCount: Int { (0..<plan.questions).reduce(0) { $0 + answers(of: $1) } }

    /// The tables' initial records: all answers, then the votes.
    package func tables(_ receive: Receiver) rethrows {
        try answers(receive)
        try votes(receive)
    }

    /// All answers of the tables, in an order that scatters each question's.
    package func answers(_ receive: Receiver) rethrows {
        var index = 0
        // Each round visits every question once, so that a question's answers lie far apart.
        for round in 0..<plan.answersPerQuestion.upperBound {
            for place in 0..<plan.questions {
                let question = spread[place]
                guard round < answers(of: question) else { continue }
                writeKey(question)
                writeAnswer(question, round, index)
                try receive(.answers, key.bytes, value.bytes)
                index += 1
            }
        }
    }

    /// The tables' votes, without those among the traffic.
    package func votes(_ receive: Receiver) rethrows {
        for index in 0..<plan.votes {
            var random = SplitMix64(seed: plan.seed, stream: Stream.votes, index: index)
            writeVote(&random, index)
            try receive(.votes, key.bytes, value.bytes)
        }
    }

    /// The records after the tables are filled: question events, and votes among them.
    package func traffic(_ receive: Receiver) rethrows {
        if plan.isLife { return try life(receive) }
        for index in 0..<plan.events {
            var random = SplitMix64(seed: plan.seed, stream: Stream.traffic, index: index)
            if plan.voteShare > 0, random.chance(plan.voteShare) {
                writeVote(&random, plan.votes + index)
                try receive(.votes, key.bytes, value.bytes)
            } else {
                let question = picker.draw(&random)
                writeKey(question)
                writeQuestion(question, &random, index)
                try receive(.questions, key.bytes, value.bytes)
            }
        }
    }

    /// Answers per 16 records that do not ask a question; the others are votes.
    private static let answersOf16 = 3

    /// Asks the questions one after the other, evenly over the time. Answers and votes pick among the questions asked
    /// so far, by the plan's skew; votes are for existing answers only.
    private func life(_ receive: Receiver) rethrows {
        let stride = max(1, plan.events / plan.questions)
        var given = [Int](repeating: 0, count: plan.questions)
        var (asked, answers) = (0, 0)
        for index in 0..<plan.events {
            var random = SplitMix64(seed: plan.seed, stream: Stream.life, index: index)
            if index % stride == 0, asked < plan.questions {
                writeKey(asked)
                writeQuestion(asked, &random, index)
                asked += 1
                try receive(.questions, key.bytes, value.bytes)
                continue
            }
            let question = picker.draw(&random) % asked
            writeKey(question)
            if given[question] == 0 || random.next(below: 16) < Self.answersOf16 {
                writeAnswer(question, given[question], answers)
                given[question] += 1
                answers += 1
                try receive(.answers, key.bytes, value.bytes)
            } else {
                writeVote(&random, index, question, random.next(below: given[question]))
                try receive(.votes, key.bytes, value.bytes)
            }
        }
    }

    // MARK: - Records

    @inline(__always)
    private func answers(of question: Int) -> Int {
        let range = plan.answersPerQuestion
        guard range.count > 1 else { return range.lowerBound }
        var random = SplitMix64(seed: plan.seed, stream: Stream.answerCounts, index: question)
        return range.lowerBound + random.next(below: range.count)
    }

    private func writeKey(_ question: Int) {
        key.removeAll()
        key.writeQuestionID(question)
    }

    /// A random length around the mean.
    private func length(_ mean: Int, _ random: inout SplitMix64) -> Int {
        mean - mean / 8 + random.next(below: mean / 4 + 1)
    }

    private func writeQuestion(_ question: Int, _ random: inout SplitMix64, _ index: Int) {
        let length = length(plan.eventBytes, &random)
        value.removeAll()
        value.write(#"{"id":""#)
        value.writeQuestionID(question)
        value.write(#"","title":""#)
        value.write(SampleText.titles[random.next(below: SampleText.titles.count)])
        value.write(#"""#)
        if length >= 110 {
            value.write(#","askedAt":""#)
            value.writeTime(index)
            value.write(#"""#)
        }
        if length >= 220 {
            let person = random.next(below: plan.voters)
            value.write(#","author":{"id":"u-"#)
            value.write(person)
            value.write(#"","displayName":""#)
            value.write(SampleText.names[person % SampleText.names.count])
            value.write(#""},"tags":[""#)
            value.write(SampleText.tags[random.next(below: SampleText.tags.count)])
            value.write(#"",""#)
            value.write(SampleText.tags[random.next(below: SampleText.tags.count)])
            value.write(#""]"#)
        }
        finish(length, &random)
    }

    private func writeAnswer(_ question: Int, _ answer: Int, _ index: Int) {
        var random = SplitMix64(seed: plan.seed, stream: Stream.answers, index: index)
        let length = length(plan.answerBytes, &random)
        value.removeAll()
        value.write(#"{"id":""#)
        value.writeAnswerID(question, answer)
        value.write(#"","questionId":""#)
        value.writeQuestionID(question)
        value.write(#"""#)
        if length >= 110 {
            value.write(#","answeredAt":""#)
            value.writeTime(index)
            value.write(#"""#)
        }
        if length >= 300 {
            let person = random.next(below: 5_000)
            value.write(#","title":""#)
            value.write(SampleText.answerTitles[random.next(below: SampleText.answerTitles.count)])
            value.write(#"","author":{"id":"p-"#)
            value.write(person)
            value.write(#"","displayName":""#)
            value.write(SampleText.names[person % SampleText.names.count])
            value.write(#"","profession":""#)
            value.write(SampleText.professions[person % SampleText.professions.count])
            value.write(#"","specialty":""#)
            value.write(SampleText.specialties[person / 7 % SampleText.specialties.count])
            value.write(#"","location":""#)
            value.write(SampleText.places[person / 3 % SampleText.places.count])
            value.write(#"","rating":"#)
            value.write(3 + person % 2)
            value.write(".")
            value.write(person / 2 % 10)
            value.write(#","reviewCount":"#)
            value.write(person % 400)
            value.write("}")
        }
        if plan.withdrawnShare > 0, random.chance(plan.withdrawnShare) { value.write(#","withdrawn":true"#) }
        finish(length, &random)
    }

    /// Pads the value to its length with a body.
    private func finish(_ length: Int, _ random: inout SplitMix64) {
        let room = length - value.count - 11
        if room > 0 {
            value.write(#","body":""#)
            value.writeText(room, &random)
            value.write(#"""#)
        }
        value.write("}")
    }

    private func writeVote(_ random: inout SplitMix64, _ index: Int) {
        let question = picker.draw(&random)
        // For a question without answers, the vote precedes the first answer.
        let answer = random.next(below: max(1, answers(of: question)))
        writeKey(question)
        writeVote(&random, index, question, answer)
    }

    private func writeVote(_ random: inout SplitMix64, _ index: Int, _ question: Int, _ answer: Int) {
        value.removeAll()
        value.write(#"{"questionId":""#)
        value.writeQuestionID(question)
        value.write(#"","answerId":""#)
        value.writeAnswerID(question, answer)
        if plan.countedShare > 0, random.chance(plan.countedShare) {
            value.write(#"","voteCount":"#)
            value.write(random.next(below: 1_000))
            value.write(#","countedAt":""#)
        } else {
            value.write(#"","voterId":"v-"#)
            value.write(random.next(below: plan.voters))
            // Three of four votes approve, one of twenty retracts.
            let opinion = random.next(below: 20)
            value.write(
                opinion < 15
                    ? #"","value":1,"castAt":""#
                    : opinion < 19 ? #"","value":-1,"castAt":""# : #"","value":0,"castAt":""#)
        }
        value.writeTime(index)
        value.write(#""}"#)
    }
}
