import Testing

@testable import Throughput

@Suite struct ReportLogEntryTests {
    @Test(arguments: [
        ("", LogEntry.blank), ("  ", .blank), ("hello", .foreign), ("[1]", .foreign), ("{}", .foreign),
        ("{\"a\":", .torn),
        (#"{"time":"2026-01-01T00:00:00Z","level":"info","logger":"worker","message":"x"}"#, .passing),
        (#"{"time":"now","level":"info","logger":"worker","message":"x"}"#, .torn),
        (#"{"time":"2026-01-01T00:00:00Z","level":"info","logger":"throughput","message":"throughput"}"#, .torn),
        (#"{"log":"not ours\n"}"#, .foreign), (#"{"log":"{\"time\":\n"}"#, .torn),
    ])
    func linesAreToldApart(text: String, entry: LogEntry) {
        #expect(LogEntry(text) == entry)
    }

    @Test func eventsHaveTheirFields() throws {
        let text =
            #"pod-0 | {"time":"2026-01-01T00:00:01.500Z","level":"warning","logger":"worker","message":"waiting","#
            + #""seconds":5,"partitions":[1,2],"nested":{"a":1}}"#
        guard case .event(let event) = LogEntry(text) else {
            Issue.record("no event")
            return
        }
        #expect(event.kind == .trouble)
        #expect(event.time == 1_767_225_601.5)
        #expect(event.field("seconds") == "5")
        #expect(event.field("partitions") == "1, 2")
        #expect(event.field("nested") == nil)
    }

    @Test func whatALineLacksIsAbsentAndWhatIsTooMuchIsCapped() throws {
        let least =
            #"{"time":"2026-01-01T00:00:00Z","message":"throughput","seconds":10,"uptimeSeconds":20,"worker":"w""#
        let line = try #require(ThroughputLine(json: least + "}"))
        #expect(line.recordsIn == 0 && line.latencyMs == nil && line.lag.largest == nil && line.lanes.isEmpty)
        let odd = try #require(
            ThroughputLine(
                json: least
                    + #","recordsIn":-5,"bytesIn":9223372036854775807,"recordsOut":"7","lag":{"total":1e300,"#
                    + #""largest":null},"state":"dancing","deadLetters":{"a":9223372036854775807,"#
                    + #""b":9223372036854775807},"store":{"restoring":[{"partition":99999999999}]}}"#
            ))
        #expect(odd.recordsIn == 0 && odd.bytesIn == 1 << 53 && odd.recordsOut == 0 && odd.state == .working)
        #expect(odd.deadLettersTotal == 1 << 40 && odd.store.restoring.first?.partition == 0)
        let told = try #require(ThroughputLine(json: least + #","deadLettersTotal":9223372036854775807}"#))
        #expect(told.deadLettersTotal == 1 << 40, "a sum over lines must not overflow")
        #expect(ThroughputLine(json: least + #","seconds":-1}"#) != nil, "the first of two counts")
        #expect(ThroughputLine(json: #"{"message":"throughput","seconds":10,"uptimeSeconds":1,"worker":"w"}"#) == nil)
    }
}
