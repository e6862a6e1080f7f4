import Foundation
import Testing

@testable import Sources

@Suite("Values of columns")
struct ConversionTests {
    private func answer(_ fields: String, _ row: String, schema: String? = nil) throws -> String? {
        let site = try Site(
            """
            - topic: t
              format: debezium
              into: answers
              fields: { id: id, questionId: q, \(fields) }
            """)
        let change = #"{"op":"c","before":null,"after":{"id":1,"q":2,\#(row)}}"#
        guard let schema else { return try site.send("t", key: "1", change).first?.value }
        let wrapped =
            #"{"schema":{"fields":[{"field":"before"},{"field":"after","fields":[\#(schema)]}]},"payload":\#(change)}"#
        return try site.send("t", key: "1", wrapped).first?.value
    }

    private func only(_ member: String) -> String { #"{"id":1,"questionId":2,\#(member)}"# }

    @Test(
        "times of every kind",
        arguments: [
            ("seconds", "1700000000", "2023-11-14T22:13:20Z"), ("millis", "1700000000123", "2023-11-14T22:13:20.123Z"),
            ("micros", "-1", "1969-12-31T23:59:59.999999Z"), ("nanos", "1", "1970-01-01T00:00:00.000000001Z"),
            ("days", "19782", "2024-02-29T00:00:00Z"), ("days", "-719528", "0000-01-01T00:00:00Z"),
            ("millis", "\"1700000000000\"", "2023-11-14T22:13:20Z"),
            ("seconds", "1700000000.25", "2023-11-14T22:13:20.25Z"), ("seconds", "1.7E9", "2023-11-14T22:13:20Z"),
            ("seconds", "\"1700000000.123456\"", "2023-11-14T22:13:20.123456Z"),
            ("seconds", "-0.000001", "1969-12-31T23:59:59.999999Z"),
            ("millis", "1.7000000000005E12", "2023-11-14T22:13:20.0005Z"),
            ("micros", "0.0001", "1970-01-01T00:00:00Z"), ("seconds", "253402300799.9", "9999-12-31T23:59:59.9Z"),
            ("rfc3339", "\"2024-02-29 12:30:00\"", "2024-02-29T12:30:00Z"),
            ("rfc3339", "\"2024-02-29T12:30:00.5+02\"", "2024-02-29T12:30:00.5+02:00"),
            ("rfc3339", "\"2024-02-29 12:30:00+0530\"", "2024-02-29T12:30:00+05:30"),
            ("rfc3339", "\"2024-02-29\"", "2024-02-29T00:00:00Z"),
            ("rfc3339", "\"2008-07-31T21:42:52.667\"", "2008-07-31T21:42:52.667Z"),
        ])
    func times(unit: String, value: String, expected: String) throws {
        #expect(
            try answer("answeredAt: { from: at, as: \(unit) }", #""at":\#(value)"#)
                == only(#""answeredAt":"\#(expected)""#))
    }

    @Test(
        "times that none of the years 0000 to 9999 has",
        arguments: [
            ("seconds", "253402300800.5", "seconds, which is no time of the years 0000 to 9999"),
            ("days", "1.5", "days, which is no time of the years 0000 to 9999"),
            ("millis", "1e30", "millis, which is no time of the years 0000 to 9999"),
            ("rfc3339", "\"294247-01-01T00:00:00Z\"", "which is no time of the years 0000 to 9999"),
        ])
    func timesBeyond(unit: String, value: String, sentence: String) throws {
        let site = try Site(
            "- topic: t\n  format: json\n  into: answers\n  fields: { id: id, questionId: q, answeredAt: { from: at, "
                + "as: \(unit) } }"
        )
        let failure = site.failure("t", key: "1", #"{"id":1,"q":2,"at":\#(value)}"#)
        #expect(failure?.contains(sentence) == true, "\(failure ?? "mapped")")
    }

    @Test(
        "values of where:, in: and map: by the type of the column",
        arguments: [
            // NUMERIC(1, 0) and NUMERIC(3, 1) as Debezium sends them, and numbers in JSON.
            (
                "1", #""k":"AQ==""#,
                #"{"field":"k","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"0"}}"#
            ),
            (
                "1", #""k":"Cg==""#,
                #"{"field":"k","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"1"}}"#
            ),
            ("1", #""k":{"scale":0,"value":"AQ=="}"#, #"{"field":"k","name":"io.debezium.data.VariableScaleDecimal"}"#),
            ("1", #""k":1.0"#, #"{"field":"k"}"#), ("1.0", #""k":1"#, #"{"field":"k"}"#), ("0.5", #""k":5.0e-1"#, "{}"),
            ("yes", #""k":true"#, "{}"), ("True", #""k":true"#, "{}"), ("1", #""k":true"#, "{}"),
            ("t", #""k":true"#, "{}"),
            ("y", #""k":"y""#, "{}"), ("no", #""k":"no""#, "{}"), ("1", #""k":"1""#, "{}"),
        ])
    func compared(word: String, value: String, schema: String) throws {
        let site = try Site(
            """
            - topic: t
              format: debezium
              into: votes
              where: { k: \(word), other: { not: [\(word)] } }
              fields: { answerId: id, questionId: q, voterId: u, value: { from: k, map: { \(word): -1 } } }
            """)
        let change = #"{"op":"c","before":null,"after":{"id":1,"q":2,"u":3,\#(value)}}"#
        let record =
            #"{"schema":{"fields":[{"field":"before"},{"field":"after","fields":[\#(schema)]}]},"payload":\#(change)}"#
        #expect(
            try site.send("t", key: "1", record).first?.value
                == #"{"questionId":2,"answerId":1,"voterId":3,"value":-1}"#)
    }

    @Test(
        "values of where: that a column does not have",
        arguments: [
            ("1", #""k":"1.0""#), ("yes", #""k":false"#), ("no", #""k":"false""#), ("1", #""k":2"#),
            ("1", #""k":null"#),
            ("''", #""k":false"#), ("true", #""k":"t""#),
        ])
    func notCompared(word: String, value: String) throws {
        let site = try Site(
            "- topic: t\n  format: json\n  into: answers\n  where: { k: \(word) }\n  fields: { id: id, questionId: q }")
        #expect(try site.send("t", key: "1", #"{"id":1,"q":2,\#(value)}"#) == [])
    }

    @Test("an integer in text loses the zeros in front of it, an id keeps them")
    func zeros() throws {
        #expect(try answer("voteCount: n", #""n":"007""#) == only(#""voteCount":7"#))
        #expect(try answer("author/id: n", #""n":"007""#) == only(#""author":{"id":"007"}"#))
    }

    @Test(
        "times by their column's type",
        arguments: [
            ("io.debezium.time.MicroTimestamp", "1700000000123456", "2023-11-14T22:13:20.123456Z"),
            ("io.debezium.time.Timestamp", "1700000000123", "2023-11-14T22:13:20.123Z"),
            ("io.debezium.time.NanoTimestamp", "1700000000123456789", "2023-11-14T22:13:20.123456789Z"),
            ("io.debezium.time.Date", "19782", "2024-02-29T00:00:00Z"),
            ("org.apache.kafka.connect.data.Timestamp", "1700000000123", "2023-11-14T22:13:20.123Z"),
            ("io.debezium.time.ZonedTimestamp", "\"2024-05-01T10:00:00.1Z\"", "2024-05-01T10:00:00.1Z"),
        ])
    func typedTimes(type: String, value: String, expected: String) throws {
        #expect(
            try answer(
                "answeredAt: at", #""at":\#(value)"#, schema: #"{"field":"at","type":"int64","name":"\#(type)"}"#)
                == only(#""answeredAt":"\#(expected)""#))
    }

    @Test("a number without a unit is refused with what to do")
    func unitless() throws {
        let error = #expect(throws: SourceFailure.self) { try answer("answeredAt: at", #""at":1700000000"#) }
        #expect(error?.description.contains("add as: seconds, millis, micros, nanos or days") == true)
        #expect(throws: SourceFailure.self) {
            try answer("answeredAt: { from: at, as: seconds }", #""at":9223372036854775807"#)
        }
        #expect(throws: SourceFailure.self) { try answer("answeredAt: at", #""at":"soon""#) }
    }

    @Test(
        "booleans as databases write them",
        arguments: [
            ("true", "true"), ("1", "true"), ("\"t\"", "true"), ("\"Y\"", "true"), ("false", "false"), ("0", "false"),
            ("\"f\"", "false"), ("\"no\"", "false"),
        ])
    func booleans(value: String, expected: String) throws {
        #expect(try answer("withdrawn: gone", #""gone":\#(value)"#) == only(#""withdrawn":\#(expected)"#))
    }

    @Test("a date of deletion is a boolean, too, and NULL leaves a field out")
    func presence() throws {
        let field = "withdrawn: { from: deleted_at, not: null }"
        #expect(try answer(field, #""deleted_at":12345"#) == only(#""withdrawn":true"#))
        #expect(try answer(field, #""deleted_at":null"#) == only(#""withdrawn":false"#))
        #expect(
            try answer(
                "withdrawn: a, title: b, body: c, answeredAt: e, author/rating: f, author/id: g",
                #""a":null,"b":null,"c":null,"e":null,"f":null,"g":null"#) == #"{"id":1,"questionId":2}"#)
    }

    @Test("a tally that became NULL is 0: without one, the record would leave the earlier tally as it was")
    func tallyOfNull() throws {
        #expect(try answer("voteCount: n", #""n":null"#) == only(#""voteCount":0"#))
        #expect(try answer("voteCount: { from: n, default: 2 }", #""n":null"#) == only(#""voteCount":2"#))
        #expect(try answer("voteCount: n", #""m":5"#) == #"{"id":1,"questionId":2}"#)
    }

    @Test(
        "decimals keep every digit",
        arguments: [
            ("AN4=", 2, "2.22"), ("/w==", 0, "-1"), ("/w==", 3, "-0.001"), ("AA==", 2, "0.00"), ("Aw==", -2, "300"),
            ("AJLr2rYHMH7aZp4r", 6, "45435436775643.566546464299"),
        ])
    func decimals(base64: String, scale: Int, expected: String) throws {
        let schema =
            #"{"field":"r","type":"bytes","name":"org.apache.kafka.connect.data.Decimal","#
            + #""parameters":{"scale":"\#(scale)"}}"#
        let value = try answer("author/rating: r", #""r":"\#(base64)""#, schema: schema)
        if expected.count < 20 {
            #expect(value == only(#""author":{"rating":\#(expected)}"#))
        } else {
            #expect(DecimalText.decimal(base64: base64, scale: scale)?.contains(".") == true)
        }
    }

    @Test("numbers in text, and integers of any size")
    func numbers() throws {
        #expect(try answer("author/rating: r", #""r":"4.50""#) == only(#""author":{"rating":4.50}"#))
        #expect(try answer("voteCount: v", #""v":"12""#) == only(#""voteCount":12"#))
        #expect(try answer("voteCount: v", #""v":12.0"#) == only(#""voteCount":12"#))
        #expect(throws: SourceFailure.self) { try answer("voteCount: v", #""v":1.5"#) }
        #expect(throws: SourceFailure.self) { try answer("author/rating: r", #""r":"many""#) }
        #expect(DecimalText.integer("-0") == "0")
        #expect(DecimalText.integer("1e3") == "1000")
        #expect(DecimalText.integer("120e-1") == "12")
        #expect(DecimalText.integer("1e-1") == nil)
        #expect(DecimalText.integer("18446744073709551617") == "18446744073709551617")
    }

    @Test("exponents, scales and lengths beyond all measure are refused")
    func hugeNumbers() {
        for exponent in [Int.min, -1_000, 1_000, Int.max] {
            #expect(DecimalText.integer("1e\(exponent)") == nil)
        }
        for scale in [Int.min, -10_001, 10_001, Int.max] {
            #expect(DecimalText.decimal(base64: "AQ==", scale: scale) == nil)
        }
        #expect(DecimalText.decimal(twosComplement: [UInt8](repeating: 1, count: 100_000), scale: 0) == nil)
        let failure = try? answer("author/rating: r", #""r":{"scale":-9223372036854775808,"value":"AQ=="}"#)
        #expect(failure == nil)
    }

    @Test("ids of every kind")
    func ids() throws {
        func ids(_ fields: String, _ row: String) throws -> [Site.Published] {
            try Site("- { topic: t, format: json, into: answers, fields: { \(fields) } }").send("t", key: "k", row)
        }
        #expect(
            try ids("id: { from: [site, n], join: '/' }, questionId: q", #"{"site":"a\"b","n":7,"q":"é"}"#)
                == [.answer("é", #"{"id":"a\"b/7","questionId":"é"}"#)])
        #expect(
            try ids("id: i, questionId: q", #"{"i":42.0,"q":"\u0071"}"#) == [
                .answer("q", #"{"id":42,"questionId":"\u0071"}"#)
            ])
        #expect(throws: SourceFailure.self) { try ids("id: i, questionId: q", #"{"i":1.5,"q":1}"#) }
        #expect(throws: SourceFailure.self) { try ids("id: i, questionId: q", #"{"i":"","q":1}"#) }
        #expect(throws: SourceFailure.self) { try ids("id: i, questionId: q", #"{"i":1,"q":null}"#) }
        #expect(throws: SourceFailure.self) { try ids("id: i, questionId: q", #"{"i":{},"q":1}"#) }
    }

    @Test("lists of tags, as arrays, as JSON in text, and with separators")
    func tags() throws {
        func tags(_ field: String, _ value: String) throws -> String? {
            try Site(
                "- { topic: t, format: json, into: questions, fields: { id: i, title: { constant: T }, tags: \(field) "
                    + "} }"
            )
            .send("t", key: "k", #"{"i":1,"g":\#(value)}"#).first?.value
        }
        func expected(_ list: String) -> String { #"{"id":1,"title":"T","tags":\#(list)}"# }
        #expect(try tags("g", #"["a",1,null,"b"]"#) == expected(#"["a","1","b"]"#))
        #expect(try tags("g", #""[\"a\",\"b\"]""#) == expected(#"["a","b"]"#))
        #expect(try tags("{ from: g, split: '<>|' }", #""<c#><.net>""#) == expected(##"["c#",".net"]"##))
        #expect(try tags("{ from: g, split: ' ' }", #""""#) == expected("[]"))
        #expect(throws: SourceFailure.self) { try tags("g", #""a b""#) }
    }

    @Test("translated values, constants and carried columns")
    func rest() throws {
        let site = try Site(
            """
            - topic: v
              format: json
              into: votes
              fields: { questionId: q, answerId: a, voterId: u, value: { from: type, map: { 2: 1, 3: -1 } } }
            - topic: a
              format: json
              into: answers
              fields: { id: i, questionId: q, author/displayName: n }
              carry: { source: /meta/0/x, author/avatar: pic }
            """)
        #expect(
            try site.send("v", key: "1", #"{"q":1,"a":2,"u":3,"type":3}"#)
                == [.vote("1", #"{"questionId":1,"answerId":2,"voterId":3,"value":-1}"#)])
        #expect(
            site.failure("v", key: "1", #"{"q":1,"a":2,"u":3,"type":9}"#)?.contains("which map: does not name") == true)
        #expect(
            try site.send("a", key: "1", #"{"i":1,"q":2,"pic":"p.png","meta":[{"x":[1]}]}"#)
                == [.answer("2", #"{"id":1,"questionId":2,"author":{"avatar":"p.png"},"source":[1]}"#)])
    }
}
