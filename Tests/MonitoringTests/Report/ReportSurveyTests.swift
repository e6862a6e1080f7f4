import Testing

@testable import Report
@testable import Throughput

@Suite struct ReportSurveyTests {
    /// A line of a worker that began at 12:00:00, at so many seconds after that.
    static func line(
        _ second: Int, worker: String = "w", message: String = "throughput", uptime: Double? = nil,
        seconds: Double = 10,
        _ more: String = ""
    ) -> String {
        let (hours, minutes) = (12 + second / 3600, second / 60 % 60)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            #"{"time":"2026-01-01T\#(two(hours)):\#(two(minutes)):\#(two(second % 60)).000Z","level":"info","#
            + #""logger":"throughput","message":"\#(message)","seconds":\#(seconds),"#
            + #""uptimeSeconds":\#(uptime ?? Double(second)),"group":"g","#
            + #""worker":"\#(worker)"\#(more.isEmpty ? "" : "," + more)}"#
            + "\n"
    }

    static func survey(_ texts: String...) -> LogSurvey {
        var survey = LogSurvey()
        for (index, text) in texts.enumerated() { survey.read(text, name: "log \(index)") }
        survey.arrange()
        return survey
    }

    @Test func aRunEndsWhereTheUptimeBeginsAnewAndBehindTotals() {
        let survey = Self.survey(
            Self.line(10) + Self.line(20) + Self.line(40, uptime: 10)
                + Self.line(41, message: "totals", uptime: 11, seconds: 11)
                + Self.line(60, uptime: 30))
        #expect(survey.runs.map(\.samples.count) == [2, 1, 1])
        #expect(survey.runs.map(\.isRestart) == [false, true, true])
        #expect(survey.runs.map { $0.totals != nil } == [false, true, false])
        #expect(survey.runs.map(\.isWhole) == [true, true, false])
    }

    @Test func aProcessThatBeganAtAnotherTimeIsAnotherRunThoughItsUptimeIsLonger() {
        let survey = Self.survey(Self.line(10) + Self.line(3600, uptime: 1800))
        #expect(survey.runs.count == 2)
    }

    @Test func logsInAnyOrderMakeTheSameRuns() {
        let parts = (Self.line(10) + Self.line(20), Self.line(30) + Self.line(40))
        let (forth, back) = (Self.survey(parts.0, parts.1), Self.survey(parts.1, parts.0, parts.0))
        #expect(forth.runs.map { $0.samples.map(\.time) } == back.runs.map { $0.samples.map(\.time) })
        #expect(back.sources.map(\.repeated) == [0, 0, 2])
    }

    @Test func statesOfIntervalsThatFollowEachOtherAreOne() {
        let stalled = #""state":"stalled""#
        let survey = Self.survey(
            Self.line(10) + Self.line(20, stalled) + Self.line(30, stalled) + Self.line(90, stalled))
        #expect(survey.runs[0].states.map { "\($0.state.rawValue)" } == ["keeping-up", "stalled", "stalled"])
        #expect(survey.runs[0].states.map { $0.to - $0.from } == [10, 20, 10])
    }

    private static func state(_ state: String, kind: String) -> String {
        #""state":"\#(state)","verdict":{"kind":"\#(kind)","tone":"bad","title":"t","line":"l","more":""}"#
    }

    @Test func aBrokerThatIsGoneWhileAWorkerIsIdleIsNoIdleTime() {
        let gone = Self.state("idle", kind: "unreachable")
        let survey = Self.survey(
            Self.line(10, #""state":"idle""#) + Self.line(20, gone) + Self.line(30, gone) + Self.line(40)
                + Self.line(50, Self.state("stalled", kind: "joining")))
        #expect(
            survey.runs[0].states.map { "\($0.state.rawValue)" } == ["idle", "unreachable", "keeping-up", "joining"])
        let sum = RunFigures(survey.runs)
        #expect(sum.idleSeconds == 10 && sum.stalledSeconds == 0)
        let texts = ReportFindings(survey, sum).sentences.map(\.text)
        #expect(
            texts.contains {
                $0.hasPrefix("No broker answered for 20 s in 1 period, the longest from 2026-01-01 12:00:10")
            })
        #expect(texts.contains { $0.hasPrefix("No place in the group for 10 s") })
        let page = ReportPage(survey, made: "now", version: "0").html
        #expect(page.contains("st s-unreachable") && page.contains("st s-joining"))
    }

    @Test func changesThatWaitHaveFiguresOfTheirOwn() throws {
        func waiting(_ questions: Int, _ seconds: Double) -> String {
            #""waitingQuestions":\#(questions),"waitingQuestionsSeconds":\#(seconds)"#
        }
        let survey = Self.survey(
            Self.line(10, worker: "a", waiting(40, 2.5)) + Self.line(10, worker: "b", waiting(2, 7.5))
                + Self.line(20, worker: "a", waiting(1, 0.5)) + Self.line(20, worker: "b", waiting(50, 1)))
        let figures = RunFigures(survey.runs)
        let list = FigureList(for: [figures]).figures
        func figure(_ name: String) -> (value: Double?, text: String?) {
            let figure = list.first { $0.name == name }
            return (figure?.value(figures), figure?.text(figures))
        }
        #expect(figure("questions that wait to be published again").value == 51)
        #expect(figure("age of the oldest unpublished change").value == 7.5)
        #expect(figure("age of the oldest unpublished change").text == "7.50 s")
        #expect(!FigureList(for: [RunFigures()]).figures.contains { $0.name.contains("unpublished") })
        #expect(ReportCSV.header.contains(",waitingQuestions,waitingQuestionsSeconds,"))
        #expect(ReportCSV.row(survey.runs[0].samples[0].line).contains(",40,2.5,"))
        let side = RunComparison.Side(name: "a", survey: survey)
        #expect(RunComparison(a: side, b: side).csv.contains("age of the oldest unpublished change,7.5,7.5,1.0"))
    }

    @Test func theMiddleIsWeightedByRecords() {
        #expect(RunFigures.middle([(5, 1), (1, 1), (3, 1)]) == 3)
        #expect(RunFigures.middle([(5, 10), (1, 1), (3, 1)]) == 5)
        #expect(RunFigures.middle([(1, 5), (2, 5)]) == 1)
        #expect(RunFigures.middle([]) == 0)
    }

    @Test func workersThatRunAtTheSameTimeAddUp() {
        let rates = #""recordsIn":100,"lag":{"total":40}"#
        let survey = Self.survey(
            Self.line(10, worker: "a", rates) + Self.line(10, worker: "b", rates) + Self.line(20, worker: "a", rates))
        let sum = RunFigures(survey.runs)
        #expect(sum.recordsIn == 300 && sum.seconds == 20 && sum.peakIn == 20)
        #expect(sum.lagLargest == 80 && sum.lagEnd == 80)
    }

    @Test func whoEndedLongBeforeHasNoLagAtTheEnd() {
        let survey = Self.survey(
            Self.line(10, worker: "gone", #""lag":{"total":500}"#)
                + Self.line(600, worker: "here", uptime: 600, #""lag":{"total":3}"#))
        #expect(RunFigures(survey.runs).lagEnd == 3)
    }

    @Test func aLagThatNobodyKnewIsNotZero() throws {
        func text(_ survey: LogSurvey) -> String {
            ReportText(survey, unicode: true, printable: { $0 }).lines.joined(separator: "\n")
        }
        let stopped = Self.survey(
            Self.line(10, #""lag":{"total":500}"#) + Self.line(20, #""lag":{"topics":{}}"#)
                + Self.line(21, message: "totals", seconds: 21, #""lag":{"topics":{}}"#))
        #expect(RunFigures(stopped.runs).lagEnd == 500, "the last that was known")

        let never = Self.survey(Self.line(10, #""lag":{"topics":{}}"#))
        let figures = RunFigures(never.runs)
        #expect(figures.lagEnd == nil && figures.lagLargest == nil)
        #expect(ReportFindings(never, figures).sentences.contains { $0.text.contains("The lag was never known") })
        #expect(!text(never).contains("the lag was 0") && !text(never).contains("kept up"))
        #expect(ReportPage(never, made: "now", version: "0").html.contains("largest –"))
    }

    @Test func aSumOfWhichOnePartIsNotKnownIsNotKnown() throws {
        let (known, unknown) = (#""lag":{"total":40,"topics":{"t":40}}"#, #""lag":{"topics":{"t":7}}"#)
        let late = Self.survey(
            Self.line(10, worker: "a", known) + Self.line(20, worker: "a", known)
                + Self.line(20, worker: "b", uptime: 10, unknown))
        let sum = RunFigures(late.runs)
        #expect(sum.lagLargest == 40 && sum.lagEnd == nil)
        #expect(ReportFindings(late, sum).sentences.contains { $0.text.contains("at the end it was not known") })
        let bins = TimeBins.fitting(late.runs)
        #expect(bins.sum(late.runs) { $0.lag.total.map(Double.init) }.map { $0?.mean } == [40, nil])
        #expect(try lagPlot(late) == ["all topics": [40, nil], "t": [40, nil]])

        let half = Self.survey(Self.line(10, worker: "a", known) + Self.line(10, worker: "b", unknown))
        #expect(RunFigures(half.runs).lagLargest == nil && RunFigures(half.runs).lagEnd == nil)

        // A worker that has no partitions has no topics, and nothing that waits.
        let idle = Self.survey(
            Self.line(10, worker: "a", known) + Self.line(10, worker: "b", #""lag":{"total":0,"topics":{}}"#))
        #expect(try lagPlot(idle) == ["all topics": [40], "t": [40]])
    }

    /// The means by the lines' names.
    private func lagPlot(_ survey: LogSurvey) throws -> [String: [Double?]] {
        let plots = ReportPlots(survey: survey, workers: survey.runs.map(\.key)).all()
        let plot = try #require(plots.first { $0.id == "lag" })
        return plot.series.reduce(into: [:]) { $0[$1.name] = $1.bins.map { $0?.mean } }
    }

    @Test func aColumnOfWhichAWorkerKnowsAPartHasTheMeanOfThat() {
        let survey = Self.survey(
            Self.line(10, worker: "a", #""lag":{"topics":{}}"#) + Self.line(20, worker: "a", #""lag":{"total":6}"#)
                + Self.line(20, worker: "b", seconds: 20, #""lag":{"total":3}"#))
        let start = survey.runs.map(\.firstTime).min() ?? 0
        let sum = TimeBins(start: start, width: 20, count: 1).sum(survey.runs) { $0.lag.total.map(Double.init) }
        #expect(sum == [.init(mean: 9, least: 9, largest: 9)])
    }

    @Test func cpuOfALogThatBeginsLaterIsCountedFromItsFirstLine() {
        func line(_ second: Int, _ cpu: Double) -> String {
            Self.line(second, uptime: Double(second) + 5000, #""recordsIn":1000,"process":{"cpuSeconds":\#(cpu)}"#)
        }
        let run = Self.survey(line(10, 900) + line(20, 900.5) + line(30, 901)).runs[0]
        #expect(RunFigures(run).cpuMicroseconds == 500)
    }

    @Test func columnsHoldTheMeanOfWhatCoversThem() {
        let samples = Self.survey(
            Self.line(10, #""recordsIn":10"#) + Self.line(20, #""recordsIn":30"#) + Self.line(60, #""recordsIn":50"#)
        )
        .runs[0].samples
        let start = samples[0].began
        let bins = TimeBins(start: start, width: 20, count: 4).values(samples) { Double($0.recordsIn) }
        #expect(bins == [.init(mean: 20, least: 10, largest: 30), nil, .init(mean: 50, least: 50, largest: 50), nil])
    }

    @Test func numbersReadTheSameEverywhere() {
        #expect(
            FigureText.whole(-1_234_567) == "-1,234,567" && FigureText.whole(12) == "12"
                && FigureText.whole(123) == "123")
        #expect(
            [188, 12_345.6, 1e15, .infinity, .nan, -1e300].map { FigureText.whole($0 as Double) } == [
                "188", "12,346", "1.00e+15", "–", "–", "-1.00e+300",
            ])
        #expect(
            [4.9, 4, 4.96, -0.04, -0.36, 1e300, .nan].map(FigureText.tenths) == [
                "4.9", "4", "5", "0", "-0.4", "1.00e+300", "–",
            ])
        #expect(
            [0.0001, 0.0456, 4.561, 45.61, 456.1, 4561].map(FigureText.amount) == [
                "<0.001", "0.046", "4.56", "45.6", "456", "4,561",
            ])
        #expect(
            [0, 7, 999, 999.9, 12_345, 1_230_000].map(FigureText.short) == ["0", "7", "999", "1.00k", "12.3k", "1.23M"])
        #expect([0, 512, 3_210_000, 1e13].map(FigureText.bytes) == ["0 B", "512 B", "3.21 MB", "10.0 TB"])
        #expect(
            [0, 5, 59.6, 3600, 12_000, 190_000].map(FigureText.duration) == [
                "0 s", "5 s", "1 min", "1 h", "3 h 20 min", "2 d 4 h",
            ])
        #expect([0, 0.0001, 0.05, 0.614, 1].map(FigureText.percent) == ["0%", "<0.1%", "5.0%", "61%", "100%"])
        #expect(
            [0.45, 12.3, 4560, 200_000].map(FigureText.milliseconds) == ["0.450 ms", "12.3 ms", "4.56 s", "3 min 20 s"])
        #expect(
            FigureText.ratio(5, to: 4) == "1.25×" && FigureText.ratio(5, to: 0) == "–"
                && FigureText.ratio(0, to: 0) == "=")
        #expect(FigureText.ratio(nil, to: 1) == "–" && FigureText.ratio(.infinity, to: .nan) != "")
        #expect(FigureText.time(1_767_225_601.5) == "2026-01-01 00:00:01" && FigureText.time(-1e300).hasPrefix("0000"))
        #expect(["5.00k", "1.50 s", "12", "0.100 ms"].map(FigureText.mark) == ["5k", "1.5 s", "12", "0.1 ms"])
    }

    @Test func axesHaveRoundMarks() {
        #expect(PlotScale(.linear, least: 0, largest: 730).ticks == [0, 200, 400, 600, 800])
        #expect(PlotScale(.linear, least: 0, largest: 0).ticks.first == 0)
        #expect(PlotScale(.logarithmic, least: 0.4, largest: 90).ticks == [0.1, 1, 10, 100])
        #expect(PlotScale(.logarithmic, least: 1, largest: 1e9).height(1e12) == 1)
        #expect(PlotScale.timeStep(86_400) == 10_800 && PlotScale.timeStep(60) == 10)
    }

    @Test func rowsOfCSVQuoteWhatMustBe() {
        #expect(ReportCSV.row(["a", "b,c", "d\"e", "f\ng", "ü"]) == "a,\"b,c\",\"d\"\"e\",\"f\ng\",ü\r\n")
    }

    @Test func oneLineMakesAPage() {
        let page = ReportPage(Self.survey(Self.line(10, #""recordsIn":5"#)), made: "now", version: "0").html
        #expect(page.hasPrefix("<!DOCTYPE html>") && page.hasSuffix("</html>\n"))
        #expect(!page.contains("nan") && !page.contains("inf\""))
    }

    @Test func whatNobodyWouldWriteMakesAPageToo() {
        let wild = Self.survey(
            Self.line(
                10,
                #""recordsIn":9007199254740992,"latencyMs":{"count":1,"p50":1e17,"p90":1e17,"p99":1e17,"max":1e17},"#
                    + #""timeShares":{"idle":1e18}"#
            )
                + #"{"time":"0000-01-01T00:00:00Z","level":"info","logger":"throughput","message":"throughput","#
                + #""seconds":0,"uptimeSeconds":0,"worker":"w"}"#
                + "\n"
                + #"{"time":"9999-12-31T23:59:59Z","level":"info","logger":"throughput","message":"throughput","#
                + #""seconds":1e300,"uptimeSeconds":1e300,"worker":"w"}"#
        )
        #expect(wild.sources[0].throughput == 3)
        #expect(ReportPage(wild, made: "now", version: "0").html.hasSuffix("</html>\n"))
        #expect(!ReportText(wild, unicode: true, printable: { $0 }).lines.isEmpty)
        let side = RunComparison.Side(name: "a", survey: wild)
        #expect(RunComparison(a: side, b: side).html(made: "now", version: "0").hasSuffix("</html>\n"))
    }
}
