import Foundation
import KafkaClient
import Testing

@testable import Recording

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("Comparing a replay's output with an earlier one")
struct GoldenComparisonTests {
    private static func enriched(
        _ key: String = "q1", _ answers: [(id: String, votes: Int)] = [("a1", 3), ("a2", 2), ("a3", 0)],
        title: String = "Why?", rating: String = "4.9", timestamp: Int64? = 1_000, partition: Int32 = 0
    ) -> RecordedRecord {
        let list = answers.map {
            #"{"answer":{"id":"\#($0.id)","questionId":"\#(key)","author":{"rating":\#(rating)}},"#
                + #""voteCount":\#($0.votes),"#
                + #""voteLabel":"\#($0.votes >= 0 ? "+" : "")\#($0.votes + 1)"}"#
        }
        return ReplaySite.record(
            "questions.enriched", key,
            #"{"question":{"id":"\#(key)","title":"\#(title)"},"answers":[\#(list.joined(separator: ","))],"#
                + #""answerCount":\#(answers.count)}"#, partition, 0, timestamp)
    }

    private static func letter(_ code: String) -> RecordedRecord {
        ReplaySite.record(
            "questions.dead-letter", "q1", "{", headers: [RecordHeader("rejoinder.error.code", code)])
    }

    private static func lines(
        _ golden: RecordedRecord, _ actual: RecordedRecord, ignoring: [String] = []
    ) throws -> [String] {
        try ReplaySite.compare([actual], with: [golden], ignoring: ignoring).differences.first?.lines ?? []
    }

    @Test("equal, whatever the offsets and the order of the questions")
    func equal() throws {
        var moved = Self.enriched("q2")
        moved.offset = 99
        let golden = [Self.enriched("q1"), Self.enriched("q2"), Self.letter("schema")]
        let report = try ReplaySite.compare([Self.letter("schema"), moved, Self.enriched("q1")], with: golden)
        #expect(report.isEqual && report.records == 3 && report.questions == 3)
        #expect(report.text().isEmpty)
    }

    /// Three records of each of 500 questions, in the order of their times.
    private static let byTime: [RecordedRecord] = (0..<1_500).map { (index: Int) -> RecordedRecord in
        enriched("q\(index % 500)", title: "Title \(index / 500)", timestamp: Int64(index))
    }

    /// The same, question after question.
    private static let byQuestion: [RecordedRecord] = (0..<1_500).map { (index: Int) -> RecordedRecord in
        let (question, event) = (index / 3, index % 3)
        return byTime[event * 500 + question]
    }

    /// The same, with the questions of each round in the opposite order.
    private static let backwards: [RecordedRecord] = (0..<1_500).map { (index: Int) -> RecordedRecord in
        let (event, question) = (index / 500, index % 500)
        return byTime[event * 500 + 499 - question]
    }

    @Test("in another order of the questions one of a pair waits, and none is decoded", arguments: [true, false])
    func otherOrder(isByQuestion: Bool) throws {
        let golden = isByQuestion ? Self.byQuestion : Self.backwards
        try ReplaySite.withDirectory { directory in
            try ReplaySite.write(golden, to: directory + "/golden.jsonl")
            let comparison = GoldenComparison(golden: try RecordingReader(path: directory + "/golden.jsonl"))
            for record in Self.byTime { try comparison.take(ReplayOutput(record)) }
            let report = try comparison.finish()
            #expect(report.isEqual && report.records == 1_500 && report.questions == 500)
            #expect(comparison.keptCount <= 1_500 && comparison.decodedCount == 0)
        }
    }

    @Test("a difference behind equal records in another order is told with its event")
    func differenceInOtherOrder() throws {
        var actual = Self.byTime
        actual[1_007] = Self.enriched("q7", title: "Other", timestamp: 1_007)
        let report = try ReplaySite.compare(actual, with: Self.byQuestion)
        let lines = report.text().split(separator: "\n")
        try #require(lines.count == 3)
        #expect(lines[0] == "question q7 (questions.enriched)")
        #expect(lines[1] == "  record of the event of 1970-01-01T00:00:01.007Z:")
        #expect(lines[2] == "    question.title: was \"Title 2\", is \"Other\"")
    }

    @Test("one vote more: question, answer and both counts")
    func vote() throws {
        let now = Self.enriched("q1", [("a1", 3), ("a2", 2), ("a3", 1)])
        let report = try ReplaySite.compare([now], with: [Self.enriched()])
        #expect(
            report.text()
                == """
                question q1 (questions.enriched)
                  answer a3: voteCount was 0, is 1 (voteLabel was "+1", is "+2")
                """)
        #expect(report.differing == 1)
    }

    @Test("an answer that moved is named, and not those it passed")
    func moved() throws {
        let now = Self.enriched("q1", [("a3", 4), ("a1", 3), ("a2", 2)])
        #expect(
            try Self.lines(Self.enriched(), now) == [
                #"answer a3: voteCount was 0, is 4 (voteLabel was "+1", is "+5")"#,
                "answer a3 moved from place 3 to place 1",
            ])
        // Of two that changed places, the one with another count.
        #expect(
            try Self.lines(Self.enriched(), Self.enriched("q1", [("a2", 9), ("a1", 3), ("a3", 0)])).last
                == "answer a2 moved from place 2 to place 1")
    }

    @Test("missing and extra answers")
    func answers() throws {
        let now = Self.enriched("q1", [("a1", 3), ("a4", 1), ("a3", 0)])
        #expect(
            try Self.lines(Self.enriched(), now) == [
                "answer a2 is missing (was in place 2, voteCount 2)", "answer a4 is extra (is in place 2, voteCount 1)",
            ])
        #expect(
            try Self.lines(Self.enriched(), Self.enriched("q1", [("a1", 3), ("a3", 0)])).last
                == "answerCount: was 3, is 2")
    }

    @Test("other differences by their path")
    func paths() throws {
        #expect(
            try Self.lines(Self.enriched(), Self.enriched(title: "Why not?"))
                == [#"question.title: was "Why?", is "Why not?""#])
        #expect(
            try Self.lines(Self.enriched("q1", [("a1", 0)]), Self.enriched("q1", [("a1", 0)], rating: "4.8"))
                == ["answer a1: author.rating: was 4.9, is 4.8"])
        // A number of the same worth is another text, and bytes carried through have to stay.
        #expect(
            try Self.lines(Self.enriched("q1", [("a1", 0)]), Self.enriched("q1", [("a1", 0)], rating: "4.90"))
                == ["answer a1: author.rating: was 4.9, is 4.90"])
        var spaced = Self.enriched()
        spaced.value?.append(0x20)
        #expect(
            try Self.lines(Self.enriched(), spaced).first?.hasPrefix("the same JSON in other bytes: at byte ") == true)
        var broken = Self.enriched()
        broken.value = [0xFF, 0x22]
        #expect(try Self.lines(Self.enriched(), broken).first?.hasPrefix("value: at byte 0") == true)
        var deletion = Self.enriched()
        deletion.value = nil
        #expect(try Self.lines(Self.enriched(), deletion) == ["was a record with a value, is a deletion"])
        #expect(
            try Self.lines(Self.enriched(), Self.enriched(timestamp: 2_000, partition: 4)) == [
                "partition: was 0, is 4",
                "timestamp: was 1000 (1970-01-01T00:00:01Z), is 2000 (1970-01-01T00:00:02Z)",
            ])
        #expect(
            try Self.lines(Self.letter("schema"), Self.letter("too-deep"))
                == [#"header rejoinder.error.code: was "schema", is "too-deep""#])
    }

    @Test("missing and extra records, and questions that are on one side only")
    func records() throws {
        let golden = [
            Self.enriched(timestamp: 1_000), Self.enriched(title: "Edited", timestamp: 2_000),
            Self.enriched(title: "Again", timestamp: 3_000), Self.enriched("q2"),
        ]
        let actual = [golden[0], golden[2], Self.enriched("q3")]
        let report = try ReplaySite.compare(actual, with: golden)
        #expect(
            report.text()
                == """
                question q1 (questions.enriched)
                  missing: a record with 3 answers, event of 1970-01-01T00:00:02Z, partition 0
                question q3 (questions.enriched)
                  extra: a record with 3 answers, event of 1970-01-01T00:00:01Z, partition 0
                question q2 (questions.enriched)
                  missing: a record with 3 answers, event of 1970-01-01T00:00:01Z, partition 0
                """)
        #expect(report.questions == 3 && report.differing == 3)
    }

    @Test("the order of one question's records counts")
    func order() throws {
        let records = [Self.enriched(timestamp: 1), Self.enriched(title: "Edited", timestamp: 2)]
        #expect(try ReplaySite.compare(records.reversed(), with: records).differing == 1)
    }

    @Test(
        "what is ignored is left out, and nothing else",
        arguments: [
            ("answers[].answer.author.rating", true), ("answers[].answer.author", true), ("answers", true),
            ("answers[1].answer.author.rating", false), ("answers[].answer.rating", false), ("question", false),
            ("@headers", false),
        ])
    func ignored(_ path: String, isEnough: Bool) throws {
        let lines = try Self.lines(Self.enriched(), Self.enriched(rating: "1.0"), ignoring: [path])
        #expect(lines.isEmpty == isEnough)
    }

    @Test("parts of the record around the value are ignored too")
    func ignoredAround() throws {
        let now = Self.enriched(timestamp: nil, partition: 4)
        #expect(try Self.lines(Self.enriched(), now, ignoring: ["@timestamp", "@partition"]).isEmpty)
        #expect(
            try Self.lines(Self.letter("schema"), Self.letter("x"), ignoring: ["@headers.rejoinder.error.code"]).isEmpty
        )
        #expect(try Self.lines(Self.letter("schema"), Self.letter("x"), ignoring: ["@headers"]).isEmpty)
        #expect(try Self.lines(Self.letter("schema"), Self.letter("x"), ignoring: ["@headers.other"]).count == 1)
    }

    @Test("a path that is none is an error", arguments: ["", "a..b", "a[", "a[x]", "[]b", "@offset", "@headers."])
    func brokenPath(_ path: String) {
        #expect(throws: ReplayError.self) { try IgnoredPath(path) }
    }

    @Test("the first 20 are told in full, the rest is counted")
    func many() throws {
        let golden = (0..<500).map { Self.enriched("q\($0)") }
        let actual = (0..<500).map { Self.enriched("q\($0)", title: "Other") }
        let report = try ReplaySite.compare(actual, with: golden)
        let text = report.text().split(separator: "\n")
        #expect(report.differing == 500 && text.count == 41)
        #expect(text.first == "question q0 (questions.enriched)" && text.last == "and 480 more questions that differ")
    }

    @Test("a broken golden file is an error that names the line")
    func broken() throws {
        try ReplaySite.withDirectory { directory in
            let file = directory + "/golden.jsonl"
            try ReplaySite.write([Self.enriched()], to: file)
            var data = try Data(contentsOf: URL(fileURLWithPath: file))
            data.append(Data("{\"topic\":".utf8))
            try data.write(to: URL(fileURLWithPath: file))
            let comparison = GoldenComparison(golden: try RecordingReader(path: file))
            try comparison.take(ReplayOutput(Self.enriched()))
            let error = #expect(throws: RecordingError.self) { try comparison.finish() }
            #expect(error?.line == 2)
        }
    }

    @Test("a test case for every question, in XML that can be read")
    func junit() throws {
        func hostile(_ title: String) -> RecordedRecord {
            var record = Self.enriched("q2", title: title)
            record.key = Array("q<&\">\u{1}\u{FFFF}".utf8)
            return record
        }
        let golden = [Self.enriched("q1"), hostile("Why?")]
        let actual = [Self.enriched("q1"), hostile("<Other>")]
        let report = try ReplaySite.compare(actual, with: golden, listsQuestions: true)
        let xml = report.junit(suite: "a \"file\"")
        let cases = Cases()
        let parser = XMLParser(data: Data(xml.utf8))
        parser.delegate = cases
        #expect(parser.parse())
        #expect(cases.names.count == 2 && cases.names.first == "q1" && cases.failures == 1)
        #expect(xml.contains(#"<testsuite name="a &quot;file&quot;" tests="2" failures="1" errors="0">"#))
        #expect(xml.contains(#"question.title: was &quot;Why?&quot;, is &quot;&lt;Other&gt;&quot;"#))
    }
}

private final class Cases: NSObject, XMLParserDelegate {
    var names: [String] = []
    var failures = 0

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        if name == "testcase" { names.append(attributes["name"] ?? "") }
        if name == "failure" { failures += 1 }
    }
}
