import Testing

@testable import Recording

@Suite struct ReplayPacerTests {
    private func dues(_ speed: ReplaySpeed, _ timestamps: [Int64?]) -> [Duration] {
        var pacer = ReplayPacer(speed: speed)
        return timestamps.map { pacer.due($0) }
    }

    @Test func recordedGapsAreDivided() {
        #expect(dues(.recorded(times: 1), [5000, 5000, 6500]) == [.zero, .zero, .milliseconds(1500)])
        #expect(dues(.recorded(times: 10), [5000, 6500]) == [.zero, .milliseconds(150)])
        #expect(dues(.recorded(times: 0.5), [5000, 6500]) == [.zero, .milliseconds(3000)])
    }

    @Test func dueTimesCountFromTheFirstRecord() {
        // A gap of a third of a millisecond, ten thousand times: no rounding adds up.
        var pacer = ReplayPacer(speed: .recorded(times: 3))
        var last = Duration.zero
        for index in 0...10_000 { last = pacer.due(1_700_000_000_000 + Int64(index)) }
        #expect(abs((last - .seconds(10_000.0 / 3000)) / .microseconds(1)) < 1)
    }

    @Test func timestampsThatRunBackwardsAreDueAtOnce() {
        var pacer = ReplayPacer(speed: .recorded(times: 1))
        #expect(
            [1000, 4000, 2000, 4000, 5000].map { pacer.due($0) / .milliseconds(1) } == [0, 3000, 3000, 3000, 4000])
        #expect(pacer.backwards == 1)
        #expect(pacer.lastDue == .seconds(4))
    }

    @Test func recordsWithoutATimestampGoWithTheOneBefore() {
        #expect(
            dues(.recorded(times: 1), [nil, 0, -1, 1000, nil, 3000])
                == [.zero, .zero, .zero, .zero, .zero, .seconds(2)])
    }

    @Test func ratesCountRecords() {
        #expect(
            dues(.rate(perSecond: 4), [9, 1, nil, 2]) == [
                .zero, .milliseconds(250), .milliseconds(500), .milliseconds(750),
            ])
    }

    @Test func withoutAPaceEverythingIsDue() {
        #expect(dues(.max, [1, 1_000_000, nil]) == [.zero, .zero, .zero])
    }

    @Test func absurdTimestampsDoNotTrap() {
        #expect(dues(.recorded(times: 0.000001), [1, .max, .min, .max])[1] > .seconds(1_000_000_000))
    }

    @Test(arguments: [
        ("1x", ReplaySpeed.recorded(times: 1)), ("0.5x", .recorded(times: 0.5)), ("10x", .recorded(times: 10)),
        ("5000/s", .rate(perSecond: 5000)), ("0.2/s", .rate(perSecond: 0.2)), ("max", .max),
    ])
    func speeds(text: String, speed: ReplaySpeed) {
        #expect(ReplaySpeed(text) == speed)
        #expect(speed.description == text)
    }

    @Test(arguments: [
        "", "x", "1", "-1x", "0x", "1e3x", "nanx", "infx", "5000", "/s", "0/s", "Max", "1 x", "1x/s", "٣x",
    ])
    func whatIsNoSpeed(text: String) {
        #expect(ReplaySpeed(text) == nil)
    }
}

@Suite struct WordingTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
            (.max, "9223372036854775807 ms"), (.min, "-9223372036854775808 ms"),
        ] as [(Int64, String)])
    func instants(milliseconds: Int64, text: String) {
        #expect(Wording.instant(milliseconds) == text)
    }

    @Test func times() {
        #expect(Wording.time(.milliseconds(12)) == "12 ms")
        #expect(Wording.time(.milliseconds(12_340)) == "12.3 s")
        #expect(Wording.time(.seconds(603)) == "10 min 3 s")
        #expect(Wording.time(.seconds(7500)) == "2 h 5 min")
        #expect(Wording.time(.seconds(604_800)) == "7 days")
        #expect(Wording.time(.milliseconds(Int64.max)) == "for ever")
    }
}
