import Testing

@testable import Sources

@Suite("Mistakes in a mapping that YAML and the schema of a mapping allow")
struct MistakeTests {
    private func problems(where conditions: String = "{ kind: answer }", id: String = "id") throws -> [String] {
        try read(
            """
            - topic: t
              format: debezium
              where: \(conditions)
              into: answers
              fields: { id: \(id), questionId: parent_id, body: text }
            """
        ).problems
    }

    @Test(
        "an operator where a value stands",
        arguments: [
            (#"{ score: "> 3" }"#, "where score in site.yaml, line 3 is '> 3': where: compares nothing"),
            ("{ score: '<=3' }", "compares nothing"), ("{ score: between 1 and 5 }", "compares nothing"),
            ("{ score: 1..5 }", "compares nothing"), ("\n    score: >3\n", "a block of text, which > and | begin"),
            ("{ kind: '!= question' }", "written 'kind: { not: [1, 2] }'"), ("{ kind: <> question }", "{ not:"),
            ("{ kind: '!answer' }", "{ not:"), ("{ kind: = answer }", "holds the values themselves"),
            ("{ parent_id: not null }", "asked for with 'parent_id: { not: null }'"),
            ("{ parent_id: IS NOT NULL }", "'parent_id: { not: null }'"),
            ("{ parent_id: is null }", "NULL is written 'parent_id: null'"),
            ("{ parent_id: 'null' }", "has 'null' in quotes, which is a text"),
            ("{ kind: 'in (1, 2)' }", "several of them as a list"), ("{ kind: answer or poll }", "as a list"),
            ("{ kind: answer|poll }", "as a list"), ("{ kind: 'answer, poll' }", "as a list"),
            ("{ kind: like ans }", "knows no patterns"), ("{ kind: 'ans%' }", "knows no patterns"),
            ("{ kind: ans* }", "knows no patterns"), ("{ kind: /answer|poll/ }", "knows no patterns"),
            ("{ kind: /^ans/i }", "knows no patterns"), (#"{ kind: '/a\/b/' }"#, "knows no patterns"),
            ("{ kind: ans.*r }", "knows no patterns"), ("{ kind: '[a-z]+' }", "knows no patterns"),
            ("{ kind: { not: /poll/ } }", "knows no patterns"),
            ("{ kind: \"'answer'\" }", "the quotes would be part of the value"),
            ("{ kind: \u{201C}answer\u{201D} }", "the quotes would be part of the value"),
            ("{ kind: { not: '> 3' } }", "compares nothing"),
            (
                "{ score: { gt: 3 } }",
                "unknown key 'gt' under where score in site.yaml, line 3: where: compares nothing"
            ),
            ("{ kind: { in: [a, b] } }", "as in 'kind: [question, poll]'"),
            ("{ kind: { ne: a } }", "written 'kind: { not: [1, 2] }'"),
            ("{ kind: { like: a } }", "knows no patterns"),
            ("{ not: { kind: answer } }", "not: stands below a column, as in 'kind: { not: question }'"),
            ("{ or: [ { kind: a }, { kind: b } ] }", "where: has no alternatives between columns"),
            ("{ and: [ { kind: a } ] }", "all lines of where: have to hold anyway"),
            ("[ { kind: a } ]", "it is no list: all of its lines have to hold"),
        ])
    func operators(conditions: String, sentence: String) throws {
        let problems = try problems(where: conditions)
        #expect(problems.contains { $0.contains(sentence) }, "\(problems)")
        #expect(problems.allSatisfy { $0.contains("in site.yaml, line ") && $0.hasSuffix(".") }, "\(problems)")
    }

    @Test(
        "values that are none of these, and such values in a list",
        arguments: [
            "{ kind: [\"> 3\", \"a|b\", \"'a'\", 'null'] }", "{ kind: '<none>' }", "{ sign: '+', other: \">\" }",
            "{ share: '50%' }", "{ mood: Loading... }", "{ kind: 'a b, c d' }", "{ note: -1 }", "{ a: { not: null } }",
            "{ kind: no }", "{ orders: for or against it }", "{ place: /usr/lib/ }", "{ place: /forum }",
            "{ kind: [/answer/] }",
        ])
    func values(conditions: String) throws {
        #expect(try problems(where: conditions) == [])
    }

    @Test(
        "a text that is no column's name",
        arguments: [
            ("meta/id", "begins with /, as in '/meta/id'"), ("'$.meta.ids[0]'", "as in '/meta/ids/0'"),
            ("'#/meta/id'", "as in '/meta/id'"), ("'ids[0]'", "as in '/ids/0'"),
            ("\"meta->>'id'\"", "as in '/meta/id'"),
            ("after.id", "name the column alone, 'id'"), ("payload.after.id", "name the column alone, 'id'"),
            ("'\"id\"'", "without the database's quotes"), ("' id'", "has a space at its end or beginning"),
            ("'*'", "there is no wildcard"), ("id::text", "is an expression"), ("a + b", "is an expression"),
            ("5", "the same value in every record is written '{ constant: 5 }'"), ("true", "{ constant: true }"),
            ("/", "a column without a name"),
        ])
    func columns(id: String, sentence: String) throws {
        let problems = try problems(id: id)
        #expect(
            problems.contains { $0.contains("fields id in site.yaml, line 5") && $0.contains(sentence) }, "\(problems)")
    }

    @Test(
        "an operator in the test of a field",
        arguments: [
            ("in: '> 3'", "has in: '> 3': in: compares nothing"), ("not: /open/", "not: knows no patterns"),
            ("in: a|b", "as in 'in: [1, 2]'"), ("in: '!x'", "are written 'not: [1, 2]'"),
            ("in: not null", "is written 'not: null'"), ("not: is null", "is written 'in: null'"),
            ("in: \"'t'\"", "the quotes would be part of the value"),
        ])
    func tests(test: String, sentence: String) throws {
        let fields = "{ id: id, questionId: q, withdrawn: { from: gone, \(test) } }"
        let problems = try read("- topic: t\n  format: json\n  into: answers\n  fields: \(fields)").problems
        #expect(problems.contains { $0.contains(sentence) }, "\(problems)")
        #expect(problems.allSatisfy { $0.hasPrefix("fields withdrawn in site.yaml, line 4 ") }, "\(problems)")
    }

    @Test(
        "a pointer through Debezium's envelope, which the row is taken out of",
        arguments: [
            (
                "/payload/after/id",
                "is '/payload/after/id': the row is what stands in the change's 'after', and its columns"
            ),
            ("/payload/before/id", "stands in the change's 'before'"),
            ("/after/id", "write 'id'; if 'after' is a column"),
            ("{ from: /after/id }", "write 'id'"), ("/after/meta/id", "write '/meta/id'"),
            ("{ from: [/after/site, /after/id], join: '-' }", "write 'site'"),
        ])
    func envelopes(id: String, sentence: String) throws {
        let problems = try problems(id: "'\(id)'".replacing("'{", with: "{").replacing("}'", with: "}"))
        #expect(
            problems.contains { $0.contains("fields id in site.yaml, line 5") && $0.contains(sentence) }, "\(problems)")
    }

    @Test("columns of JSON that have the envelope's names, and rows as JSON that are envelopes")
    func columnsOfThatName() throws {
        for id in ["/payload/id", "/after~1id", "/after", "{ from: [/after/id], join: '' }"] {
            #expect(try problems(id: id) == [])
        }
        let all = "{ id: /payload/after/id, questionId: /after/q }"
        #expect(try read("- topic: t\n  format: json\n  into: answers\n  fields: \(all)").problems == [])
        #expect(try problems(where: "{ /payload/after/kind: answer }").count == 1)
    }

    @Test("an id that is made of the body, and join: where no text is asked for")
    func joins() throws {
        let body = try problems(id: "{ from: [site, text], join: '-' }")
        #expect(
            body.count == 1
                && body[0].contains("fields id in site.yaml, line 5 names 'text', which is the body as well"))
        func fields(_ more: String) throws -> [String] {
            try read("- topic: t\n  format: json\n  into: answers\n  fields: { id: a, questionId: b, \(more) }")
                .problems
        }
        let rating = try fields("author/rating: { from: [c, d], join: '.' }")
        #expect(rating.count == 1 && rating[0].contains("has join:, which makes a text"), "\(rating)")
        #expect(try fields("withdrawn: { from: [c, d], join: /, in: [1/1] }") == [])
        #expect(try fields("author/displayName: { from: [c, d], join: ' ' }") == [])
        let site = try Site(
            """
            - topic: t
              format: json
              into: answers
              fields: { id: { from: [a, b], join: "-" }, questionId: b, author/displayName: { from: [c, d], join: " " \
              } }
            """)
        let answer = try site.send("t", key: "1", #"{"a":"s","b":1,"c":"Ann","d":1.5}"#).first?.value
        #expect(answer?.contains(#""displayName":"Ann 1.5""#) == true, "\(answer ?? "")")
        func doubtful(_ row: String) -> [String] {
            Array(row.utf8).withUnsafeBytes { site.translator.doubtfulIDs(topic: "t", value: $0) }
        }
        #expect(doubtful(#"{"a":"s one","b":1}"#) == [])
        #expect(
            doubtful(#"{"a":"How do I get ink out?","b":1}"#).first?.hasPrefix("field 'id': 'a' is 'How do I get")
                == true)
        #expect(doubtful(#"{"a":"x","b":"<p>x</p>"}"#).count == 2)
    }

    @Test("a strange name of a column stands as a pointer", arguments: ["meta~1id", "after.id", "5", "a + b", "*"])
    func strangeNames(step: String) throws {
        let site = try Site(
            "- topic: t\n  format: json\n  into: answers\n  fields: { id: '/\(step)', questionId: q, body: 'a.b' }")
        let name = step.replacing("~1", with: "/")
        #expect(try site.send("t", key: "1", #"{"\#(name)":7,"q":1,"a.b":"x"}"#).first?.key == "1")
    }

    @Test(
        "words of other systems are answered with the word that they stand for",
        arguments: [
            ("- topic: t\n  filter: { a: 1 }", "the nearest known is where"),
            ("- topic: t\n  columns: { a: 1 }", "the nearest known is fields"),
            ("- table: t", "the nearest known is topic"),
            ("- topic: t\n  format: cdc", "the nearest is debezium"),
            ("- topic: t\n  format: json_schema", "the nearest is json-schema"),
            ("- topic: t\n  format: json\n  into: comments", "the nearest is answers"),
            ("- topic: t\n  format: json\n  into: likes", "the nearest is votes"),
            ("FIELDS { html: a }", "the nearest known is body"),
            ("FIELDS { author/name: a }", "the nearest known is author/displayName"),
            ("FIELDS { created_at: a }", "the nearest known is answeredAt"),
            ("FIELDS { askedAt: a }", "the nearest is answeredAt"),
            ("FIELDS { deleted: a }", "the nearest is withdrawn"),
            ("FIELDS { score: a }", "the nearest known is voteCount"),
            ("FIELDS { answeredAt: { from: a, unit: ms } }", "the nearest known is as"),
            ("FIELDS { withdrawn: { from: a, equals: 1 } }", "the nearest known is in"),
            ("FIELDS { withdrawn: { column: a } }", "the nearest known is from"),
            ("- preset: askbot\n  topicPrefix: a.b.", "ends in a dot, which comes by itself: write 'a.b'"),
        ])
    func otherNames(yaml: String, sentence: String) throws {
        let problems = try read(
            yaml.replacing("FIELDS", with: "- topic: t\n  format: json\n  into: answers\n  fields:")
        ).problems
        #expect(problems.contains { $0.contains(sentence) }, "\(problems)")
    }

    @Test(
        "an entry that gets no row",
        arguments: [
            ("{ k: [a, b] }", "{ k: a }", true), ("{ k: a }", "{ k: [a, b] }", false),
            ("{ k: a }", "{ k: a, l: 1 }", true),
            ("{ k: a, l: 1 }", "{ k: a }", false), ("{ k: { not: null } }", "{ k: a }", true),
            ("{ k: { not: null } }", "{ k: [a, null] }", false), ("{ k: { not: a } }", "{ k: { not: [a, b] } }", true),
            ("{ k: { not: [a, b] } }", "{ k: { not: a } }", false), ("{ k: a }", "{ k: { not: b } }", false),
            // A column's type may make them one value.
            ("{ k: { not: 1 } }", "{ k: 1.0 }", false), ("{ k: { not: true } }", "{ k: t }", false),
        ])
    func unreachable(above: String, below: String, isUnreachable: Bool) throws {
        func entry(_ conditions: String) -> String {
            "- topic: t\n  format: json\n  into: answers\n  where: \(conditions)\n  fields: { id: a, questionId: b }\n"
        }
        let problems = try read(entry(above) + entry(below)).problems
        #expect(problems.contains { $0.contains("would never get a row") } == isUnreachable, "\(problems)")
    }

    @Test("advice on records: conditions that a row does not meet, and units that make no likely time")
    func advice() throws {
        let site = try Site(
            """
            - topic: t
              format: json
              where: { kind: [a, b], gone: { not: true } }
              into: answers
              fields: { id: id, questionId: q, answeredAt: { from: at, as: seconds } }
            """)
        func unmet(_ row: String) -> [String] {
            Array(row.utf8).withUnsafeBytes { site.translator.unmetConditions(topic: "t", value: $0) }
        }
        #expect(unmet(#"{"kind":"A"}"#) == ["for answers from t, 'kind' must be 'a' or 'b', and it is 'A'"])
        #expect(
            unmet(#"{"kind":"a","gone":true}"#) == ["for answers from t, 'gone' must not be 'true', and it is true"])
        #expect(unmet(#"{}"#) == ["for answers from t, 'kind' must be 'a' or 'b', and it is NULL"])
        #expect(unmet(#"{"kind":"a"}"#) == [])
        func doubtful(_ at: String) -> [String] {
            Array(#"{"kind":"a","id":1,"q":2,"at":\#(at)}"#.utf8).withUnsafeBytes {
                site.translator.doubtfulUnits(topic: "t", value: $0)
            }
        }
        #expect(doubtful("1700000000") == [])
        #expect(doubtful("2500000000") == [], "2049")
        #expect(doubtful("19000").first?.hasSuffix("and 2022-01-08T00:00:00Z by as: days") == true)
    }

    @Test("the envelope of a change where a row is expected is told from a misspelled column")
    func envelope() throws {
        let site = try Site("- topic: t\n  format: json\n  into: answers\n  fields: { id: id, questionId: q }")
        let failure = site.failure("t", key: "1", #"{"before":null,"after":{"id":1},"source":{},"op":"c"}"#)
        #expect(failure?.contains("which is read with format: debezium") == true, "\(failure ?? "mapped")")
    }
}
