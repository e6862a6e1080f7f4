import Testing

@testable import Recording

@Suite struct RecordingSurveyTests {
    @Test func countsWhatTheTargetsMustTake() {
        var survey = RecordingSurvey()
        let (a, b) = (survey.addTopic("a"), survey.addTopic("b"))
        survey.add(topic: a, partition: 2, timestamp: 0, byteCount: 10, oldestKept: 100)
        survey.add(topic: a, partition: 0, timestamp: 150, byteCount: 30, oldestKept: 100)
        survey.add(topic: b, partition: 1, timestamp: nil, byteCount: 20, oldestKept: nil)
        survey.add(topic: a, partition: 0, timestamp: 99, byteCount: 5, oldestKept: 100)
        survey.add(topic: b, partition: 0, timestamp: 450, byteCount: 5, oldestKept: nil)
        #expect(survey.records == 5)
        #expect(survey.bytes == 70)
        #expect(survey.largestRecord == 30)
        #expect(survey.timestampsOfZero == 1)
        #expect(survey.recordsWithoutTimestamp == 1)
        #expect(survey.span == 99...450)
        #expect(survey.pacedSpan == 0.3)
        #expect(survey.topics.map(\.records) == [3, 2])
        #expect(survey.topics.map(\.highestPartition) == [2, 1])
        #expect(survey.topics.map(\.beyondRetention) == [1, 0])
        #expect(survey.topics.map(\.oldest) == [99, 450])
    }

    @Test func retentionOfATopic() {
        func kept(_ settings: [String: String]) -> Int64? {
            TargetTopic(name: "t", partitionCount: 1, settings: settings).oldestKept(now: 1000)
        }
        #expect(kept(["retention.ms": "300"]) == 700)
        #expect(kept(["retention.ms": "-1"]) == nil)
        #expect(kept(["retention.ms": "300", "cleanup.policy": "compact"]) == nil)
        #expect(kept(["retention.ms": "300", "cleanup.policy": "compact, delete"]) == 700)
        #expect(kept(["retention.ms": "9223372036854775807"]) == 0)
        #expect(kept(["retention.ms": "much"]) == nil)
        #expect(kept([:]) == nil)
    }
}
