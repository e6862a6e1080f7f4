import KafkaClient
import Testing

@testable import Worker

@Suite("Topics watched while lanes work")
struct TopicWatchTests {
    private let topics = TopicNames()

    private var counts: [String: Int32] {
        Dictionary(uniqueKeysWithValues: (topics.inputs + topics.outputs).map { ($0, 4) })
    }

    @Test("a topic is missing when two looks say so, and is back when two looks say so")
    func missing() {
        let watch = TopicWatch(topics: topics, counts: counts)
        var without = counts
        without[topics.questions] = nil
        #expect(watch.note(counts) == nil && watch.version == 0)
        #expect(watch.note(without) == nil, "a broker that has just started may not know it yet")
        #expect(watch.note(counts) == nil)
        #expect(watch.note(without) == nil)
        #expect(watch.note(without)?.missing == ["questions"])
        #expect(watch.version == 1 && watch.view.missing == ["questions"])
        #expect(watch.note(without) == nil && watch.version == 1)
        #expect(watch.note(counts) == nil)
        #expect(watch.note(counts)?.missing == [])
        #expect(watch.version == 2 && watch.view.counts == counts)
    }

    @Test("another number of partitions is a change")
    func partitions() {
        let watch = TopicWatch(topics: topics, counts: counts)
        var fewer = counts
        fewer[topics.enriched] = 2
        #expect(watch.note(fewer) == nil)
        #expect(watch.note(fewer)?.counts[topics.enriched] == 2)
    }

    /// A deleted topic and one made anew with fewer partitions: the second cannot be played by the embedded broker.
    @Test("the lane takes over what the watch sees: layout and missing topics", .timeLimit(.minutes(1)))
    func lane() async throws {
        let site = try EmbeddedSite(partitions: 2)
        try site.publish([Make.question("q0"), Make.question("q1", partition: 1)], to: site.topics.questions)
        let report = LaneReport(lane: 0)
        let stop = StopSignal()
        let watch = TopicWatch(topics: topics, counts: counts)
        nonisolated(unsafe) let running = site
        async let lived = LaneRun.run(running, report: report, stop: stop, topicWatch: watch)
        try await EmbeddedSite.wait(for: "the events") { report.current.totals.recordsOut == 2 }
        var now = counts
        now[topics.votes] = nil
        now[topics.enriched] = 1
        _ = watch.note(now)
        _ = watch.note(now)
        try await EmbeddedSite.wait(for: "the report") { report.current.missingTopics == ["votes"] }
        stop.request()
        _ = try await lived
    }
}
