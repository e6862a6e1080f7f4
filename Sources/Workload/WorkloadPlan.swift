/// The number, sizes and subjects of generated records. The same plan gives the same bytes on every machine.
package struct WorkloadPlan: Sendable, Equatable {
    /// A distribution over the questions.
    package enum Skew: Sendable, Equatable {
        case uniform
        /// The k-th most popular question is asked in proportion to k to the power of -exponent.
        case zipf(exponent: Double)
    }

    /// The only source of chance.
    package var seed: UInt64 = 1
    /// The number of questions that are asked, answered and voted on.
    package var questions = 50_000
    /// The range from which each question's number of answers is drawn, uniformly.
    package var answersPerQuestion = 3...3
    /// Votes in the tables, before the traffic.
    package var votes = 300_000
    /// Records of the traffic: question events, and votes among them.
    package var events = 500_000
    /// The share of votes in the traffic, from 0 up to 1, exclusive.
    package var voteShare = 0.0
    /// Mean length in bytes of an answer's value; lengths vary by an eighth up and down.
    package var answerBytes = 420
    /// Mean length in bytes of a question event's value; lengths vary by an eighth up and down.
    package var eventBytes = 320
    /// The distribution of votes and question events over the questions.
    package var skew = Skew.uniform
    /// The share of withdrawn answers.
    package var withdrawnShare = 0.0
    /// The share of *counted* votes among all votes.
    package var countedShare = 0.0
    /// The number of distinct voters.
    package var voters = 100_000
    /// A site's life: the tables are empty before the traffic, which asks each question once and answers and votes on
    /// the questions asked so far.
    var isLife = false

    /// Small tables and half a million question events, uniform over the questions.
    package init() {}

    /// The largest number of questions that `generate` accepts.
    package static let questionLimit = 99_999_999
    /// The largest number of votes, and of records of the traffic, that `generate` accepts.
    package static let recordLimit = 2_000_000_000
    /// The largest mean length of a value, in bytes, that `generate` accepts.
    package static let sizeLimit = 10_000_000

    /// Question ids have this many digits, so that all of them have the same length.
    static let questionDigits = 8
}

/// Named plans.
package enum WorkloadPreset: String, CaseIterable, Sendable {
    /// Small tables, then question events, uniform over the questions.
    case w1
    /// As w1, Zipf-skewed.
    case w2
    /// As w1, but nine of ten records of the traffic are votes.
    case w3
    /// Large tables.
    case w4
    /// As w1, as a steady stream.
    case w5
    /// A site's life: questions are asked, answered and voted on, Zipf-skewed.
    case w6

    /// The preset's plan, which `generate`'s options then change.
    package var plan: WorkloadPlan {
        var plan = WorkloadPlan()
        switch self {
        case .w1: break
        case .w2: plan.skew = .zipf(exponent: 1)
        case .w3: plan.voteShare = 0.9
        case .w4:
            plan.questions = 1_000_000
            plan.votes = 3_000_000
        case .w5: plan.events = 60_000
        case .w6:
            plan.isLife = true
            plan.answersPerQuestion = 0...0
            plan.votes = 0
            plan.events = 1_000_000
            plan.skew = .zipf(exponent: 1)
        }
        return plan
    }

    /// The traffic's records per second; nil: as fast as the brokers take them.
    package var rate: Double? { self == .w5 ? 1_000 : nil }
}

extension WorkloadPlan {
    /// The plan with `scale` times as many questions, votes and events; a number above 0 stays at least 1.
    package func scaled(by scale: Double) -> WorkloadPlan {
        func scaled(_ count: Int) -> Int { count == 0 ? 0 : max(1, Int((Double(count) * scale).rounded())) }
        var plan = self
        plan.questions = scaled(questions)
        plan.votes = scaled(votes)
        plan.events = scaled(events)
        return plan
    }
}
