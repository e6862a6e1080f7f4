import KafkaClient
import Testing

@testable import Worker

@Suite struct ReadWatchTests {
    private let began = ContinuousClock.now
    private let place = TopicPartition(topic: "questions", partition: 3)

    @Test func itLooksAfterEachPause() {
        var watch = ReadWatch(now: began)
        let looks = [4, 5, 6, 9, 10].filter { watch.isDue(now: began + .seconds($0)) }
        #expect(looks == [5, 10])
    }

    @Test func aPartitionIsOverdueOnceItsFirstFetchHasHadTime() {
        let watch = ReadWatch(now: began)
        let unread = UnreadPartition(place: place, since: began + .seconds(10), next: 0)
        #expect(watch.overdue([unread], now: began + .seconds(39)).isEmpty)
        #expect(watch.overdue([unread], now: began + .seconds(40)).map(\.place) == [place])
    }

    @Test func eachTimeThatTheLaneJoinsAgainDoublesTheTimeToABound() {
        var watch = ReadWatch(now: began)
        watch.joinsAgain()
        #expect(watch.patience == .seconds(60))
        for _ in 0..<20 { watch.joinsAgain() }
        #expect(watch.patience == .seconds(600))
    }
}
