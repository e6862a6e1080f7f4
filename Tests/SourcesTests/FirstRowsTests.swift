import Testing

@testable import Sources

@Suite("What the first rows of a topic tell of its mappings")
struct FirstRowsTests {
    private static let yaml = """
        - topic: t
          format: debezium
          where: { kind: [question] }
          into: questions
          fields: { id: id, title: titel }
        - topic: t
          format: debezium
          where: { knid: { not: question } }
          into: answers
          fields:
            id: ID
            questionId: { from: parnt, default: none }
            body: boddy
          carry: [lang]
        """

    /// Sends rows as a lane does, and takes the findings.
    private func review(_ site: Site, _ rows: [String]) -> [MappingFinding] {
        for row in rows {
            let failure = site.failure("t", key: "1", row)
            Array(row.utf8).withUnsafeBytes {
                site.translator.review(topic: "t", value: $0, headers: .none, refusal: failure)
            }
        }
        return site.translator.takeFindings()
    }

    private func text(_ finding: MappingFinding) -> String {
        let place = "\(finding.topic) \(finding.file):\(finding.line ?? 0)"
        switch finding.kind {
        case .missing(let column, _, let rows):
            return
                "\(place) \(column.key) '\(column.column)', nearest '\(column.nearest)', \(rows): "
                + "\(column.effect.rawValue)"
        case .refused(let reason, let records): return "\(place) \(records) refused: \(reason)"
        }
    }

    private func change(_ row: String) -> String { #"{"op":"c","before":null,"after":\#(row)}"# }

    @Test("a column that no row has is told once, with the line of its key and the nearest column")
    func missing() throws {
        let site = try Site(Self.yaml)
        #expect(!site.translator.isReviewing)
        site.translator.beginReview()
        let answer = change(#"{"id":1,"kind":"answer","parent":2,"title":"t","body":"b"}"#)
        #expect(
            Set(review(site, [answer]).map(text)) == [
                "t site.yaml:8 where knid 'knid', nearest 'kind', 1: counts as NULL",
                "t site.yaml:11 fields id 'ID', nearest 'id', 1: the rows become dead letters",
                "t site.yaml:12 fields questionId 'parnt', nearest 'parent', 1: the default stands in",
                "t site.yaml:13 fields body 'boddy', nearest 'body', 1: left out of the records",
                "t site.yaml:14 carry lang 'lang', nearest 'kind', 1: left out of the records",
            ])
        #expect(review(site, [answer]).isEmpty)
        let question = change(#"{"id":1,"kind":"question","title":"t"}"#)
        #expect(
            review(site, [question]).map(text) == [
                "t site.yaml:5 fields title 'titel', nearest 'title', 1: the rows become dead letters"
            ])
        _ = review(site, Array(repeating: answer, count: FirstRows.most))
        #expect(!site.translator.isReviewing)
    }

    @Test("a row that has the column ends the suspicion")
    func present() throws {
        let site = try Site(
            "- topic: t\n  format: debezium\n  into: questions\n  fields: { id: id, title: title, body: text }")
        site.translator.beginReview()
        #expect(review(site, [change(#"{"id":1,"title":"t"}"#), change(#"{"id":1,"title":"t","text":null}"#)]).isEmpty)
        #expect(review(site, Array(repeating: change(#"{"id":1,"title":"t"}"#), count: 50)).isEmpty)
    }

    @Test("rows of JSON may leave out their NULLs: a field that may be missing is told after twenty rows")
    func sparse() throws {
        let site = try Site(
            "- topic: t\n  format: json\n  into: questions\n  fields: { id: id, title: title, body: text }")
        site.translator.beginReview()
        let row = #"{"id":1,"title":"t","txt":"b"}"#
        #expect(review(site, Array(repeating: row, count: 19)).isEmpty)
        #expect(
            review(site, [row]).map(text) == [
                "t site.yaml:4 fields body 'text', nearest 'txt', 20: left out of the records"
            ])
        // One that only some rows have.
        let some = try Site(
            "- topic: t\n  format: json\n  into: questions\n  fields: { id: id, title: title, body: removed }")
        some.translator.beginReview()
        #expect(review(some, Array(repeating: row, count: 90)).isEmpty)
        let other = try Site("- topic: t\n  format: json\n  into: questions\n  fields: { id: ID, title: title }")
        other.translator.beginReview()
        #expect(review(other, [row]).map(text).first?.contains("fields id 'ID'") == true)
    }

    @Test("records that are all refused for another reason, and records that are not")
    func refused() throws {
        let yaml = "- topic: t\n  format: json\n  into: questions\n  fields: { id: id, title: title, askedAt: at }"
        let site = try Site(yaml)
        site.translator.beginReview()
        let row = #"{"id":1,"title":"t","at":5}"#
        #expect(review(site, Array(repeating: row, count: 19)).isEmpty)
        let told = review(site, [row]).map(text)
        #expect(
            told.count == 1 && told[0].hasPrefix("t site.yaml:1 20 refused: field 'askedAt': 'at' is '5': a number"),
            "\(told)")
        #expect(review(site, [row]).isEmpty)
        let other = try Site(yaml)
        other.translator.beginReview()
        #expect(review(other, [#"{"id":1,"title":"t","at":null}"#] + Array(repeating: row, count: 30)).isEmpty)
    }
}
