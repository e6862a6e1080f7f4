import KafkaClient
import Testing

@testable import Recording

@Suite struct ReturnedLetterTests {
    private let added = [
        RecordHeader("rejoinder.error.code", "schema"), RecordHeader("rejoinder.error.message", "title is missing"),
        RecordHeader("rejoinder.source.topic", "questions"), RecordHeader("rejoinder.source.partition", "3"),
        RecordHeader("rejoinder.source.offset", "17"), RecordHeader("rejoinder.source.timestamp", "1700000000123"),
    ]

    private func letter(_ headers: [RecordHeader]) -> ReturnedLetter {
        ReturnedLetter(
            TopicPartition(topic: "dead", partition: 1), offset: 5, key: [0xFF], headers: headers,
            inputs: ["questions", "answers", "votes"])
    }

    @Test func whatTheWorkerAddedIsTakenOff() {
        let own = [RecordHeader(name: "trace", value: [0, 1]), RecordHeader(name: "trace", value: nil)]
        let letter = letter(own + added)
        #expect(letter.headers == own + [RecordHeader("rejoinder.returned", "1")])
        #expect(letter.source == TopicPartition(topic: "questions", partition: 3))
        #expect(letter.sourceOffset == 17)
        #expect(letter.timestamp == 1_700_000_000_123)
        #expect(letter.code == "schema")
        #expect(letter.message == "title is missing")
        #expect(letter.returnedBefore == 0)
        #expect(letter.obstacle == nil)
    }

    @Test func comingBackIsCounted() {
        let letter = letter([RecordHeader("rejoinder.returned", "2")] + added)
        #expect(letter.returnedBefore == 2)
        #expect(letter.headers == [RecordHeader("rejoinder.returned", "3")])
    }

    @Test(arguments: ["", "x", "-4", "99999999999999999999"])
    func aMarkThatIsNoCountIsNone(mark: String) {
        #expect(letter([RecordHeader("rejoinder.returned", mark)] + added).returnedBefore == 0)
    }

    @Test func theLastOfARepeatedHeaderCounts() {
        // A dead letter was sent back by hand, with the worker's headers still on it.
        let old = added.map { RecordHeader($0.name, "old") }
        let letter = letter(old + added)
        #expect(letter.sourceOffset == 17)
        #expect(letter.headers == [RecordHeader("rejoinder.returned", "1")])
    }

    @Test func noTimestampIsNone() {
        var headers = added
        headers[5] = RecordHeader("rejoinder.source.timestamp", "-1")
        #expect(letter(headers).timestamp == nil)
        #expect(letter(headers).obstacle == nil)
    }

    @Test(arguments: [
        ("rejoinder.error.value-omitted", "true", ReturnedLetter.Obstacle.valueOmitted),
        ("rejoinder.error.headers-omitted", "true", .headersOmitted),
        ("rejoinder.error.key-omitted", "true", .keyOmitted),
        ("rejoinder.error.code", "source", .sourceRecord), ("rejoinder.source.topic", "payments", .foreignTopic),
        ("rejoinder.source.partition", "-1", .sourceUnknown),
        ("rejoinder.source.partition", "x", .sourceUnknown),
        ("rejoinder.source.timestamp", "", .sourceUnknown),
    ])
    func whatCannotComeBack(name: String, value: String, obstacle: ReturnedLetter.Obstacle) {
        #expect(letter(added + [RecordHeader(name, value)]).obstacle == obstacle)
    }

    @Test func aRecordThatIsNoDeadLetter() {
        #expect(letter([]).obstacle == .sourceUnknown)
    }
}
