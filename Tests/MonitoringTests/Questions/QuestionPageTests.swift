import KafkaClient
import Pages
import Testing

@testable import Admin
@testable import Throughput

@Suite("The page about a question")
struct QuestionPageTests {
    private static let event = QuestionEvent(
        place: TopicPartition(topic: "questions", partition: 3), offset: 17, timestamp: 1_772_355_900_000, value: [])

    private func page(_ json: String, id: String = "q1") -> String {
        QuestionPage(id: Array(id.utf8), partition: nil, outcome: .enriched(Array(json.utf8), Self.event)).html
    }

    @Test("all that a reader's page shows")
    func whole() {
        let html = page(
            #"""
            {"question":{"id":"q1","title":"Why?","body":"So.\nAnd so?","tags":["knee","pain"],
            "author":{"displayName":"Kim"},"askedAt":"2026-01-02T03:04:05Z"},"answers":[{"answer":{"title":"Rest",
            "body":"Some days.","author":{"displayName":"Ada Example","profession":"doctor","specialty":"orthopedics",
            "location":"Oslo","rating":4.9,"reviewCount":188}},"voteCount":3,"voteLabel":"+4"},
            {"answer":{"title":"Wait","author":{"profession":"doctor","rating":4,"reviewCount":1}},"voteCount":-3,"voteLabel":"-2"}],
            "answerCount":3,"answersOmitted":1}
            """#)
        for text in [
            ">Why?</h1>", ">So.\nAnd so?</p>", ">knee</li>", "Asked by Kim, 2026-01-02", ">Doctor Answers 3</h2>",
            ">+4 <", ">-2 <",
            ">Rest</h3>", ">Some days.</p>", ">Ada Example</b>", ">orthopedics</span>", ">Oslo</span>",
            ">4.9 out of 5</span>",
            ">188 reviews</span>", ">4 out of 5</span>", ">1 review</span>", "1 more answer would",
            "offset 17 of questions [3]",
            "href=\"/questions/q1?format=json\"",
        ] {
            #expect(html.contains(text), "\(text)")
        }
        #expect(html.range(of: ">+4 <")!.lowerBound < html.range(of: ">-2 <")!.lowerBound)
    }

    @Test("details that are missing, or are nothing that a page can show, are left out")
    func sparse() {
        let html = page(
            #"{"question":{"id":"q1","title":"Why?","body":null},"answers":[{"answer":{"id":"a","#
                + #""author":{"rating":1e999,"#
                + #""location":7}},"voteCount":0,"voteLabel":"+1"}],"answerCount":1}"#)
        #expect(html.contains(">Answers 1</h2>"))
        for text in ["out of 5", "review", "class=\"author\"", "<h3", "class=\"text\"", "Asked", "would make"] {
            #expect(!html.contains(text), "\(text)")
        }
        #expect(
            page(#"{"question":{"title":"Why?"},"answers":[],"answerCount":0}"#).contains("There is no answer yet."))
    }

    @Test("whatever stands in a record is text")
    func escaping() {
        let nasty = #"</p><script>alert(1)</script><img src=x onerror=alert(2)>\"' &amp; \u0000\u001b"#
        let html = page(
            "{\"question\":{\"id\":\"\(nasty)\",\"title\":\"\(nasty)\",\"body\":\"\(nasty)\",\"tags\":[\"\(nasty)\"],"
                + "\"author\":{\"displayName\":\"\(nasty)\"},\"askedAt\":\"<b>\"},"
                + "\"answers\":[{\"answer\":{\"title\":\"\(nasty)\","
                + "\"body\":\"\(nasty)\",\"answeredAt\":\"<b>\",\"author\":{\"displayName\":\"\(nasty)\","
                + "\"profession\":\"\(nasty)\","
                + "\"specialty\":\"\(nasty)\",\"location\":\"\(nasty)\"}},\"voteCount\":0,\"voteLabel\":\"<b>\"}],"
                + "\"answerCount\":1}",
            id: "<script>\"'&\u{0}")
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(html.contains("&quot;&#39; &amp;amp; \\u{0}\\u{1B}"))
        for markup in ["<script", "<img", "<b>", "\u{0}", "\u{1b}", "onerror=alert(2)>"] {
            #expect(!html.contains(markup), "\(markup)")
        }
    }

    @Test("a record beyond what can be taken apart is shown as it is")
    func unreadable() {
        let deep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)
        let html = page("{\"question\":{\"title\":\"<i>\",\"x\":\(deep)},\"answers\":[],\"answerCount\":0}")
        #expect(html.contains("The enriched record</h1>"))
        #expect(html.contains("&lt;i&gt;"))
        #expect(!html.contains("<i>"))
    }

    @Test("every other outcome says what and why, in the page and as JSON")
    func outcomes() throws {
        let place = Self.event.place
        let outcomes: [(QuestionOutcome, Int, String)] = [
            (.noID, 400, "no-id"), (.noPartition(9), 400, "no-partition"), (.notFound(place), 404, "not-found"),
            (.notStored(place), 404, "not-found"),
            (.deleted(Self.event), 410, "deleted"), (.notOwned(place), 421, "not-owned"),
            (.restoring(place), 503, "restoring"),
            (.refused(.schema, "title is missing <b>", Self.event), 422, "dead-letter"), (.busy, 503, "busy"),
            (.tooLong(place, events: 7), 504, "too-long"), (.noAnswer(place), 504, "no-answer"),
            (.unreachable("<b>"), 503, "unreachable"),
        ]
        for (outcome, status, word) in outcomes {
            #expect(outcome.status.code == status)
            #expect(outcome.word == word)
            let html = QuestionPage(id: Array("<b>".utf8), partition: nil, outcome: outcome).html
            #expect(!html.contains("<b>"))
            #expect(html.contains(Markup.escaped(outcome.sentence)))
            #expect(html.contains("Status \(status)"))
            #expect(QuestionRoutes.json(outcome).status.code == status)
            #expect(outcome.status.code != 503 || outcome.retryAfter != nil)
        }
    }

    @Test("ids that browsers take for steps through a path have a link that is none", arguments: [".", ".."])
    func steps(id: String) {
        let html = page(#"{"question":{"title":"t"},"answers":[],"answerCount":0}"#, id: id)
        #expect(html.contains("href=\"/questions?id=\(id)&amp;format=json\""))
    }

    @Test("what a client wants")
    func negotiation() {
        let wants = QuestionRoutes.wantsJSON
        #expect(wants(nil, "application/json"))
        #expect(wants("format=json", "text/html"))
        #expect(!wants("format=html", "application/json"))
        #expect(!wants(nil, "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"))
        #expect(!wants(nil, "*/*"))
        #expect(!wants(nil, nil))
    }

    @Test("the id out of path or form")
    func id() {
        #expect(QuestionRoutes.id(path: "/questions/a/b%2Fc", query: "id=x") == Array("a/b/c".utf8))
        #expect(QuestionRoutes.id(path: "/questions//a/", query: nil) == Array("/a/".utf8))
        #expect(QuestionRoutes.id(path: "/questions", query: "id=..%2F+") == Array("../ ".utf8))
        #expect(QuestionRoutes.id(path: "/questions/", query: "id=x") == Array("x".utf8))
        #expect(QuestionRoutes.id(path: "/questions", query: nil) == [])
    }
}
