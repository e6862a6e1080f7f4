import KafkaClient
import Testing

@testable import Worker

@Suite("Positions against their logs")
struct OffsetCheckTests {
    private let place = TopicPartition(topic: "t", partition: 3)
    private let check = OffsetCheck(autoOffsetReset: "earliest")

    private func questions(_ committed: Int64?, _ noted: Int64? = nil, check: OffsetCheck? = nil) -> OffsetReset? {
        (check ?? self.check).questions(place, committed: committed, noted: noted, span: (10, 20))
    }

    private func reset(_ reason: OffsetResetReason, _ from: Int64, _ to: Int64) -> OffsetReset {
        OffsetReset(place: place, reason: reason, from: from, to: to, low: 10, high: 20)
    }

    @Test("committed within the log, its ends included, or nothing known at all: no mismatch")
    func fine() {
        for committed: Int64? in [10, 15, 20, nil] { #expect(questions(committed) == nil) }
        // The group has gone on since, or was set back by hand.
        for noted: Int64 in [0, 12, 99] { #expect(questions(15, noted) == nil) }
    }

    @Test("beyond the end: on from where auto.offset.reset says")
    func beyondEnd() {
        #expect(questions(21) == reset(.beyondEnd, 21, 10))
        #expect(questions(21, check: OffsetCheck(autoOffsetReset: "latest")) == reset(.beyondEnd, 21, 20))
        #expect(questions(21, check: OffsetCheck(autoOffsetReset: nil)) == reset(.beyondEnd, 21, 10))
    }

    @Test("below the start: on from the start")
    func belowStart() { #expect(questions(9) == reset(.belowStart, 9, 10)) }

    @Test("missing though noted: on from the note, as far as the log has it")
    func missing() {
        #expect(questions(nil, 15) == reset(.missing, 15, 15))
        #expect(questions(nil, 20) == reset(.missing, 20, 20))
        #expect(questions(nil, 4) == reset(.missing, 4, 10))
        #expect(questions(nil, 30) == reset(.missing, 30, 10))
    }

    private func table(_ committed: Int64?, _ noted: Int64?, applied: Int64) -> OffsetReset? {
        check.table(place, committed: committed, noted: noted, applied: applied, span: (10, 20))
    }

    @Test("a table's store within the log, and a fresh store whatever the log's start")
    func tableFine() {
        for applied: Int64 in [0, 10, 20] { #expect(table(nil, nil, applied: applied) == nil) }
        #expect(table(5, 3, applied: 12) == nil)
    }

    @Test("a table's store or offset beyond the end, a store below the start, an offset that is gone")
    func tableMismatches() {
        #expect(table(20, nil, applied: 25) == reset(.beyondEnd, 25, 10))
        #expect(table(25, nil, applied: 0) == reset(.beyondEnd, 25, 10))
        #expect(table(7, nil, applied: 7) == reset(.belowStart, 7, 10))
        #expect(table(nil, 15, applied: 12) == reset(.missing, 15, 15))
        #expect(table(nil, 5, applied: 0) == reset(.missing, 5, 10))
        #expect(table(nil, 25, applied: 0) == reset(.missing, 25, 20))
    }

    @Test("a mismatch is believed when it is found again some time later, and only if it is the same")
    func confirmation() {
        let now = ContinuousClock.now
        var takeOver = TakeOver(number: 3, since: now)
        var isConfirmed = takeOver.confirms(reset(.missing, 15, 15), now: now)
        #expect(!isConfirmed)
        isConfirmed = takeOver.confirms(reset(.missing, 15, 15), now: now + .seconds(1))
        #expect(!isConfirmed)
        isConfirmed = takeOver.confirms(reset(.beyondEnd, 21, 10), now: now + .seconds(3))
        #expect(!isConfirmed)
        isConfirmed = takeOver.confirms(reset(.beyondEnd, 21, 10), now: now + .seconds(6))
        #expect(isConfirmed)
    }

    @Test("the sentence names the place, both offsets and what to do")
    func sentence() {
        for reason in OffsetResetReason.allCases {
            let reset = reset(reason, 7, 10)
            #expect(reset.finding.contains("7"))
            #expect(reset.advice.contains("--reset-offsets") && reset.advice.contains("offsets.onMismatch: continue"))
        }
    }
}
