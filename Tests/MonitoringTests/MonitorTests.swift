import Foundation
import Histogram
import KafkaClient
import Testing

@testable import Monitoring
@testable import Worker

@Suite("The monitor")
struct MonitorTests {
    private func lag(_ topic: String, _ partition: Int32, _ records: Int64) -> PartitionLag {
        PartitionLag(place: TopicPartition(topic: topic, partition: partition), records: records)
    }

    @Test("one line an interval: what grew over all lanes, and rates")
    func intervals() throws {
        let fixture = MonitorFixture(lanes: 2)
        fixture.tick(9) {
            $0.totals.recordsIn += 10
            $0.totals.bytesOut += 1000
            $0.totals.commits += 1
        }
        #expect(fixture.log.all.isEmpty)
        fixture.tick { $0.totals.deadLetters[.schema] += 2 }
        let line = try #require(fixture.log.all.first)
        #expect(line.seconds == 10)
        #expect(line.recordsIn == 180)
        #expect(line.recordsInPerSecond == 18)
        #expect(line.bytesOutPerSecond == 1800)
        #expect(line.commits == 18)
        #expect(line.deadLettersTotal == 4)
        #expect(line.deadLetters["schema"] == 4)
        #expect(line.deadLetters["too-deep"] == 0)
        #expect(line.lanes.map(\.recordsIn) == [90, 90])
        fixture.tick(10) { $0.totals.recordsIn += 1 }
        #expect(fixture.log.all.map(\.recordsIn) == [180, 20])
        #expect(fixture.log.all.map(\.uptimeSeconds) == [10, 20])
    }
}
