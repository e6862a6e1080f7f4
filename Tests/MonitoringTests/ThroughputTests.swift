import Histogram
import KafkaClient
import Logging
import Testing

@testable import Monitoring
@testable import Worker

@Suite("The throughput line")
struct ThroughputTests {
    private func content(_ change: (inout LaneReport.Content) -> Void) -> LaneReport.Content {
        var content = LaneReport(lane: 0).current
        change(&content)
        return content
    }

    @Test("what grew since the interval began, over all lanes")
    func growth() {
        var before = LaneTotals()
        before.recordsIn = 10
        before.bytesOut = 5
        let lanes = [
            content {
                $0.totals.recordsIn = 30
                $0.totals.bytesOut = 25
                $0.totals.deadLetters[.schema] = 2
                $0.lags = [
                    PartitionLag(place: TopicPartition(topic: "questions", partition: 0), records: 3),
                    PartitionLag(place: TopicPartition(topic: "votes", partition: 0), records: 1),
                ]
            },
            content {
                $0.totals.recordsIn = 7
                $0.totals.deadLetters[.tooLarge] = 1
                $0.lags = [PartitionLag(place: TopicPartition(topic: "questions", partition: 1), records: 4)]
                $0.restoring = [1]
            },
        ]
        let throughput = Throughput(now: lanes, before: [before, LaneTotals()], seconds: 2)
        #expect(throughput.recordsIn == 27)
        #expect(throughput.bytesOut == 20)
        #expect(throughput.deadLetters == 3)
        #expect(throughput.lag == ["questions": 7, "votes": 1])
        #expect(throughput.restoring == 1)
        #expect(!throughput.isIdle)
        #expect(throughput.latencyP50 == nil)
    }

    @Test("percentiles of all lanes together, in milliseconds")
    func latency() throws {
        let lanes = [content { $0.latency.record(1000, count: 99) }, content { $0.latency.record(500_000, count: 1) }]
        let throughput = Throughput(now: lanes, before: [LaneTotals(), LaneTotals()], seconds: 1)
        let p50 = try #require(throughput.latencyP50)
        let p99 = try #require(throughput.latencyP99)
        // The histogram keeps two digits.
        #expect(abs(p50 - 1) < 0.02)
        #expect(abs(p99 - 1) < 0.02)
        let slow = Throughput(now: [lanes[1]], before: [LaneTotals()], seconds: 1)
        #expect(abs((slow.latencyP50 ?? 0) - 500) < 10)
    }

    @Test("an idle interval says so, a restoring one too; numbers are numbers")
    func line() {
        let idle = Throughput(now: [content { _ in }], before: [LaneTotals()], seconds: 10)
        #expect(idle.isIdle)
        let metadata = ThroughputLog.metadata(of: idle)
        #expect(metadata["state"] == "idle")
        #expect(metadata["latencyP99Ms"] == nil)
        let restoring = Throughput(now: [content { $0.restoring = [0, 1] }], before: [LaneTotals()], seconds: 10)
        #expect(ThroughputLog.metadata(of: restoring)["state"] == "restoring")
        let working = Throughput(now: [content { $0.totals.recordsIn = 5 }], before: [LaneTotals()], seconds: 2)
        let line = ThroughputLog.metadata(of: working)
        #expect(line["state"] == "working")
        guard case .stringConvertible(let rate) = line["recordsPerSecond"] else {
            Issue.record("the rate is no number")
            return
        }
        #expect(rate as? Double == 2.5)
    }

    @Test("taking the latencies begins them anew and leaves the totals")
    func take() {
        let report = LaneReport(lane: 0)
        report.update {
            $0.totals.recordsIn = 3
            $0.latency.record(1000, count: 3)
        }
        #expect(report.take().latency.totalCount == 3)
        #expect(report.current.latency.totalCount == 0)
        #expect(report.current.totals.recordsIn == 3)
    }
}
