import Testing

@testable import Sources

/// Values as Debezium sent them with its settings for decimals, times, bytes and unsigned integers.
@Suite("Settings of Debezium's connectors")
struct ConnectorSettingsTests {
    private func site(_ fields: String, more: String = "") throws -> Site {
        try Site(
            """
            - topic: t
              format: debezium
              into: answers
              fields: { id: id, questionId: q, \(fields) }
            \(more)
            """)
    }

    /// - Parameter types: `"type":"bytes"` and such by column, as in Connect's schema; empty: without one.
    private func change(_ row: String, _ types: [String: String] = [:]) -> String {
        let change = #"{"op":"c","before":null,"after":{"id":1,"q":2,\#(row)}}"#
        let fields = types.map { #"{"field":"\#($0)",\#($1)}"# }.sorted().joined(separator: ",")
        return types.isEmpty
            ? change
            : #"{"schema":{"fields":[{"field":"before"},{"field":"after","fields":[\#(fields)]}]},"payload":\#(change)}"#
    }

    private let bytes = #""type":"bytes""#

    @Test("time.precision.mode: isostring")
    func isoStrings() throws {
        let date = #""type":"string","name":"io.debezium.time.IsoDate""#
        let site = try site("answeredAt: day", more: "  carry: [day]")
        let published = try site.send("t", key: "1", change(#""day":"2024-02-29Z""#, ["day": date]))
        #expect(
            published.first?.value
                == #"{"id":1,"questionId":2,"answeredAt":"2024-02-29T00:00:00Z","day":"2024-02-29T00:00:00Z"}"#)
    }

    @Test("binary.handling.mode: bytes that are text become text, and ids stay in Base64")
    func textInBytes() throws {
        // A blob with <p>größe 你</p> in it, and a varbinary with answer.
        let row = #""kind":"YW5zd2Vy","b":"PHA+Z3LDtsOfZSDkvaA8L3A+","k":"YW5z""#
        let types = ["kind": bytes, "b": bytes, "k": bytes]
        let site = try site(
            "body: b, author/id: k, withdrawn: { from: kind, in: [gone] }",
            more: "  where: { kind: answer }\n  carry: [b]")
        #expect(
            try site.send("t", key: "1", change(row, types)).first?.value
                == #"{"id":1,"questionId":2,"body":"<p>größe 你</p>","author":{"id":"YW5z"},"withdrawn":false,"#
                + #""b":"PHA+Z3LDtsOfZSDkvaA8L3A+"}"#)
        #expect(try site.send("t", key: "2", change(row.replacing("YW5zd2Vy", with: "Z29uZQ=="), types)) == [])
    }

    @Test("binary.handling.mode: bytes that are no text are refused, and may be tested for NULL")
    func noTextInBytes() throws {
        let row = change(#""b":"3q2+7w==""#, ["b": bytes])
        let failure = try site("body: b").failure("t", key: "1", row)
        #expect(failure?.contains("'b' holds bytes that are no text in UTF-8") == true, "\(failure ?? "mapped")")
        #expect(failure?.contains("binary.handling.mode") == true)
        let tested = try site("withdrawn: { from: b, not: null }").send("t", key: "1", row)
        #expect(tested.first?.value == #"{"id":1,"questionId":2,"withdrawn":true}"#)
    }

    @Test(
        "decimal.handling.mode: a decimal's bytes without the schema that has their scale",
        arguments: ["author/rating: n", "voteCount: n", "withdrawn: n"])
    func decimalsWithoutSchema(field: String) throws {
        let failure = try site(field).failure("t", key: "1", change(#""n":"BOI=""#))
        #expect(failure?.contains("set decimal.handling.mode: string") == true, "\(failure ?? "mapped")")
        let other = try site(field).failure("t", key: "1", change(#""n":"many""#))
        #expect(other?.contains("decimal.handling.mode") == false, "\(other ?? "mapped")")
    }

    @Test("bigint.unsigned.handling.mode: an id beyond 2^63, as long")
    func negativeIDs() throws {
        let site = try site("body: b")
        func doubts(_ id: String) -> [String] {
            Array(#"{"op":"c","before":null,"after":{"id":\#(id),"q":-1,"b":""}}"#.utf8).withUnsafeBytes {
                site.translator.doubtfulIDs(topic: "t", value: $0)
            }
        }
        #expect(doubts("-9223372036854775807").first?.contains("bigint.unsigned.handling.mode: precise") == true)
        #expect(doubts("9223372036854775807") == [])
    }
}
