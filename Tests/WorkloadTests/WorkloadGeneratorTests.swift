import Records
import Testing
import Workload

@Suite struct WorkloadGeneratorTests {
    /// FNV-1a over everything that a plan makes, with the topics and lengths.
    private func checksum(_ plan: WorkloadPlan) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        forEachRecord(plan) { topic, key, value in
            for byte in topic.rawValue.utf8 { add(byte) }
            for byte in key { add(byte) }
            add(0)
            for byte in value { add(byte) }
            add(10)
        }
        return hash
    }

    private func forEachRecord(_ plan: WorkloadPlan, _ receive: WorkloadGenerator.Receiver) rethrows {
        let generator = WorkloadGenerator(plan)
        try generator.tables(receive)
        try generator.traffic(receive)
    }

    private var small: WorkloadPlan {
        var plan = WorkloadPlan()
        plan.questions = 100
        plan.answersPerQuestion = 0...5
        plan.votes = 500
        plan.events = 1_000
        plan.voteShare = 0.3
        plan.withdrawnShare = 0.1
        plan.countedShare = 0.1
        return plan
    }

    @Test func theSamePlanGivesTheSameBytesOnEveryMachine() {
        var zipf = small
        zipf.skew = .zipf(exponent: 0.9)
        // The checksums on the machine where this test was written.
        #expect(checksum(small) == 14_318_983_117_205_084_794)
        #expect(checksum(zipf) == 12_341_597_524_967_597_674)
        var other = small
        other.seed = 2
        #expect(checksum(other) != checksum(small))
    }

    @Test(arguments: [1, 100, 320, 10_000])
    func everyRecordKeepsTheContract(bytes: Int) throws {
        var plan = small
        plan.answerBytes = bytes
        plan.eventBytes = bytes
        let reader = RecordReader()
        var counts: [WorkloadGenerator.Topic: Int] = [:]
        var total = 0
        try forEachRecord(plan) { topic, key, value in
            counts[topic, default: 0] += 1
            switch topic {
            case .questions: _ = try reader.readQuestion(key: key, value: value)
            case .answers: _ = try reader.readAnswer(key: key, value: value)
            case .votes: _ = try reader.readVote(key: key, value: value)
            }
            guard topic == .questions else { return }
            total += value.count
            if bytes >= 100 { #expect(abs(value.count - bytes) <= bytes / 8 + 16) }
        }
        #expect(counts[.answers] == WorkloadGenerator(plan).answerCount)
        let questions = try #require(counts[.questions])
        #expect((600...800).contains(questions))
        #expect(counts[.votes] == 500 + 1_000 - questions)
        if bytes >= 100 { #expect(abs(total / questions - bytes) <= bytes / 20 + 8) }
    }

    @Test func zipfPrefersFewQuestionsAndUniformNone() {
        func share(_ skew: WorkloadPlan.Skew) -> Double {
            var plan = WorkloadPlan()
            plan.questions = 1_000
            plan.votes = 0
            plan.events = 20_000
            plan.skew = skew
            var asked: [[UInt8]: Int] = [:]
            forEachRecord(plan) { topic, key, _ in
                if topic == .questions { asked[Array(key), default: 0] += 1 }
            }
            return Double(asked.values.sorted(by: >).prefix(10).reduce(0, +)) / 20_000
        }
        #expect(share(.uniform) < 0.03)
        // The first ten of 1,000 terms of the harmonic series are 39% of their sum.
        #expect((0.36...0.42).contains(share(.zipf(exponent: 1))))
    }

    @Test func aSitesLifeAsksEachQuestionOnceAndVotesOnlyForAnswersThatWereGiven() throws {
        let plan = WorkloadPreset.w6.plan.scaled(by: 0.002)
        let reader = RecordReader()
        var asked: Set<[UInt8]> = []
        var answers: [[UInt8]: Int] = [:]
        var counts: [WorkloadGenerator.Topic: Int] = [:]
        try forEachRecord(plan) { topic, key, value in
            counts[topic, default: 0] += 1
            let id = Array(key)
            switch topic {
            case .questions:
                _ = try reader.readQuestion(key: key, value: value)
                #expect(asked.insert(id).inserted)
            case .answers:
                _ = try reader.readAnswer(key: key, value: value)
                #expect(asked.contains(id))
                answers[id, default: 0] += 1
            case .votes:
                _ = try reader.readVote(key: key, value: value)
                #expect(answers[id] != nil)
            }
        }
        #expect(counts[.questions] == 100 && counts.values.reduce(0, +) == 2_000)
        #expect(try #require(counts[.votes]) > 2 * (try #require(counts[.answers])))
        // A few questions get most of it.
        #expect(answers.values.sorted(by: >).prefix(10).reduce(0, +) * 3 > answers.values.reduce(0, +))
        #expect(checksum(plan) == checksum(plan))
    }

    @Test func presetsAreWhatTheyAreSaidToBe() {
        let plan = WorkloadPreset.w1.plan
        #expect(plan.questions * 3 == WorkloadGenerator(plan).answerCount)
        #expect([plan.questions, plan.votes, plan.events] == [50_000, 300_000, 500_000])
        #expect(WorkloadPreset.w4.plan.scaled(by: 0.1).questions == 100_000)
        #expect(WorkloadPreset.w4.plan.votes == 3_000_000)
        #expect(WorkloadPreset.w5.rate == 1_000)
        #expect(WorkloadPreset.w1.plan.scaled(by: 0.000_001).events == 1)
    }
}
