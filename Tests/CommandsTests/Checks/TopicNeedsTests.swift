import Testing
import Worker

@testable import Commands

@Suite struct TopicNeedsTests {
    private func needs(_ topic: String, maxMessageBytes: Int = 1_000_000) throws -> TopicNeeds {
        try #require(
            TopicNeeds.all(TopicNames(), maxMessageBytes: maxMessageBytes).first { $0.topic == topic })
    }

    @Test func newTopicsGetWhatTheyNeed() throws {
        #expect(try needs("questions").settings.isEmpty)
        for topic in ["answers", "votes"] {
            #expect(
                try needs(topic).settings == [
                    "retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete",
                ])
        }
        #expect(
            try needs("questions.enriched").settings == ["cleanup.policy": "compact", "max.message.bytes": "1048588"])
        #expect(
            try needs("questions.dead-letter", maxMessageBytes: 5_000_000).settings
                == ["cleanup.policy": "delete", "max.message.bytes": "5000000"])
    }

    @Test func whatIsSetIsMet() throws {
        for topic in TopicNeeds.all(TopicNames(), maxMessageBytes: 3_000_000) {
            #expect(topic.unmet(by: topic.settings).isEmpty)
            #expect(topic.unmet(by: [:]).isEmpty, "unknown is taken to be fine")
        }
    }

    @Test(arguments: [
        ("answers", "retention.ms", "604800000", TopicNeeds.Weight.wanted),
        ("votes", "retention.bytes", "1000", .wanted), ("answers", "cleanup.policy", "compact", .wanted),
        ("answers", "cleanup.policy", "compact,delete", .wanted),
        ("questions.enriched", "cleanup.policy", "delete", .wanted),
        ("questions.enriched", "max.message.bytes", "999999", .required),
        ("questions.dead-letter", "max.message.bytes", "1", .required),
        ("questions.dead-letter", "cleanup.policy", "compact,delete", .wanted),
        ("questions.enriched", "message.timestamp.before.max.ms", "86400000", .wanted),
        ("questions.enriched", "message.timestamp.difference.max.ms", "86400000", .wanted),
        ("questions.enriched", "message.timestamp.after.max.ms", "60000", .wanted),
    ])
    func whatDiffersIsUnmet(topic: String, setting: String, value: String, weight: TopicNeeds.Weight) throws {
        let unmet = try needs(topic).unmet(by: [setting: value])
        #expect(unmet.map(\.setting) == [setting])
        #expect(unmet.map(\.weight) == [weight])
        #expect(unmet.first?.difference(from: value).contains(value) == true)
    }

    @Test(arguments: [
        ("questions.enriched", "cleanup.policy", "compact,delete"), ("answers", "cleanup.policy", "delete"),
        ("questions.enriched", "max.message.bytes", "1000000"), ("questions.dead-letter", "cleanup.policy", "delete"),
        ("questions.enriched", "message.timestamp.before.max.ms", "9223372036854775807"),
        ("questions.enriched", "message.timestamp.difference.max.ms", "9223372036854775807"),
        // Kafka's default since 4.0, and before.
        ("questions.enriched", "message.timestamp.after.max.ms", "3600000"),
        ("questions.enriched", "message.timestamp.after.max.ms", "9223372036854775807"),
        // Letters have the time of their writing.
        ("questions.dead-letter", "message.timestamp.before.max.ms", "1000"),
        ("questions", "message.timestamp.before.max.ms", "1000"),
    ])
    func whatIsAsGood(topic: String, setting: String, value: String) throws {
        #expect(try needs(topic).unmet(by: [setting: value]).isEmpty)
    }

    /// A broker that writes the timestamps itself has no bounds for those of others.
    @Test func boundsOnTimestampsDoNotCountWhereTheBrokerWritesThem() throws {
        let settings = ["message.timestamp.type": "LogAppendTime", "message.timestamp.before.max.ms": "1"]
        #expect(try needs("questions.enriched").unmet(by: settings).isEmpty)
    }

    /// Sources publish with the timestamps of their own records.
    @Test(arguments: ["questions", "answers", "votes"])
    func sourcesNeedInputsThatTakeAnyTimestamp(topic: String) throws {
        let needs = try #require(
            TopicNeeds.all(TopicNames(), maxMessageBytes: 1, hasSources: true).first { $0.topic == topic })
        let setting = "message.timestamp.before.max.ms"
        #expect(needs.unmet(by: [setting: "1000"]).map(\.setting) == [setting])
        #expect(needs.settings[setting] == nil, "a broker before 3.6 would refuse to create the topic")
    }

    /// With the mode in which records follow changes, each question's latest event is needed.
    @Test func questionsAreKeptWhereRecordsFollowChanges() throws {
        let needs = try #require(
            TopicNeeds.all(TopicNames(), maxMessageBytes: 1, publishOn: .changes(coalesce: .zero)).first)
        #expect(needs.settings == ["cleanup.policy": "compact", "delete.retention.ms": "604800000"])
        #expect(needs.unmet(by: needs.settings).isEmpty)
        for (policy, retention, isFine) in [
            ("delete", "604800000", false), ("delete", "-1", true), ("compact,delete", "604800000", false),
            ("compact", "604800000", true),
        ] {
            let settings = ["cleanup.policy": policy, "retention.ms": retention, "retention.bytes": "-1"]
            #expect(needs.unmet(by: settings).isEmpty == isFine, "\(policy), \(retention)")
        }
        #expect(needs.unmet(by: ["delete.retention.ms": "1000"]).map(\.setting) == ["delete.retention.ms"])
    }
}
