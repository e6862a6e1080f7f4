import Testing

@testable import Sources

@Suite("The configuration of sources")
struct SourceConfigurationTests {
    @Test("every form that a mapping may have")
    func whole() throws {
        let (mappings, problems) = try read(
            """
            - topic: forum.public.post
              format: debezium
              where: { post_type: answer, hidden: { not: [true, 1] }, parent_id: { not: null } }
              into: answers
              fields:
                id: { from: [site, id], join: "-" }
                questionId: /thread/id
                title: { from: title, default: "(none)" }
                answeredAt: { from: added_at, as: micros }
                withdrawn: { from: deleted, in: [true, 1, "t"] }
                voteCount: score
                author/displayName: author_name
              carry: [lang, wiki]
            """)
        #expect(problems == [])
        let mapping = try #require(mappings.first)
        #expect(mapping.conditions.map(\.path.text) == ["post_type", "hidden", "parent_id"])
        #expect(mapping.conditions[1].allowed == ValueSet(values: ["true", "1"], isNegated: true))
        #expect(mapping.conditions[2].allowed == ValueSet(values: [nil], isNegated: true))
        #expect(
            mapping.field("questionId")?.paths.first?.steps.map { String(decoding: $0, as: UTF8.self) } == [
                "thread", "id",
            ])
        #expect(mapping.field("withdrawn")?.test?.values == ["true", "1", "t"])
        #expect(mapping.fields.map(\.field.name).last == "voteCount", "in the order in which they are written")
        #expect(mapping.carry.map(\.name) == ["lang", "wiki"])
    }

    @Test(
        "every mistake has its sentence",
        arguments: [
            (
                "- topic: a b\n  format: json\n  into: votes\n  fields: {}",
                "topic in site.yaml, line 1 is no topic name"
            ),
            ("- format: json\n  into: answers", "has no topic: name the topic that is consumed"),
            (
                "- topic: t\n  into: answers\n  fields: { id: a, questionId: b }",
                "has no format: it is one of json, debezium"
            ),
            (
                "- topic: t\n  format: debezum\n  into: answers",
                "line 2 is 'debezum', not one of json, debezium, avro, json-schema; the nearest is debezium"
            ),
            ("- topic: t\n  format: json\n  into: answer", "the nearest is answers"),
            ("- topic: t\n  format: json\n  into: answers", "has no fields: name for each field of the answer"),
            (
                "- topic: t\n  format: json\n  into: votes\n  fields: { answerId: a, voterId: u, value: { constant: 2 "
                    + "} }",
                "constant in site.yaml, line 4 is '2', and a vote is -1, 0 or 1"
            ),
            (
                "- topic: t\n  format: json\n  into: votes\n  fields: { answerId: a, voterId: u, value: { from: v, "
                    + "map: { 2: up } } }",
                "map in site.yaml, line 4 has 'up' for '2', and a vote is -1, 0 or 1"
            ),
            (
                "- topic: t\n  format: json\n  into: votes\n  fields: { answerId: a, voterId: u, value: { from: v, "
                    + "map: { up: 1 }, default: pu } }",
                "does not name; the default is put through map:, so that the nearest is 'up'"
            ),
            (
                "- topic: t\n  format: json\n  into: answers\n  fields: { id: a, questionId: b, answeredAt: { from: t, "
                    + "as: micros, default: yesterday } }",
                "default in site.yaml, line 4 is 'yesterday', and answeredAt is a time"
            ),
            (
                "- topic: t\n  format: json\n  into: answers\n  fields: { id: a, questionId: b, withdrawn: { from: d, "
                    + "default: nope } }",
                "is 'nope', and withdrawn is true or false"
            ),
            (
                "- topic: t\n  format: json\n  into: answers\n  fields: { id: a, questionId: b, withdrawn: { from: d, "
                    + "in: [1], default: 1 } }",
                "has a default:, which in: and not: never come to"
            ),
            (
                "- topic: t\n  format: json\n  into: answers\n  fields: { id: a, questionId: b, withdrawn: { from: d, "
                    + "in: } }",
                "fields withdrawn in site.yaml, line 4 names no value; to ask for NULL write null"
            ),
            (
                "- topic: t\n  fromat: json\n  into: answers",
                "unknown key 'fromat' under sources in site.yaml, line 2: the nearest known is format"
            ),
            ("FIELDS { id: a }", "lacks questionId, which every answer has"),
            (
                "FIELDS { id: a, questionID: b }",
                "unknown field 'questionID' in site.yaml, line 4: the nearest known is questionId"
            ),
            ("FIELDS { id: a, questionId: b, author.rating: c }", "it is written author/rating"),
            ("FIELDS { id: a, questionId: b, email: c }", "other columns go under carry:"),
            ("FIELDS { id: a, questionId: b, title: { form: c } }", "unknown key 'form' under fields title"),
            ("FIELDS { id: a, questionId: b, title: { as: millis, from: c } }", "has as:, which is for times"),
            ("FIELDS { id: a, questionId: b, answeredAt: { from: c, as: milis } }", "is 'milis', not one of rfc3339"),
            (
                "FIELDS { id: a, questionId: b, title: { from: c, in: [1] } }",
                "which makes true or false; title is neither"
            ),
            ("FIELDS { id: a, questionId: b, withdrawn: { from: c, in: [1], not: [2] } }", "has both in and not"),
            (
                "FIELDS { id: a, questionId: b, answeredAt: { from: c, as: ms } }",
                "the nearest is millis"
            ),
            ("FIELDS { id: a, questionId: b, answeredAt: { from: c, as: Microseconds } }", "the nearest is micros"),
            ("FIELDS { id: a, questionId: b, answeredAt: { from: c, as: ISO8601 } }", "the nearest is rfc3339"),
            (
                "FIELDS { id: a, questionId: b, author: { displayName: c } }",
                "its fields are written one by one, each with a slash, as in 'author/id: user_id'"
            ),
            (
                "FIELDS { id: a, questionId: b, value: c }",
                "it is a field of votes, and this entry goes into answers, which have id, questionId"
            ),
            (
                "- topic: t\n  format: json\n  into: answers\n  fields:\n  id: a\n  questionId: b",
                "'questionId' in site.yaml, line 6 is a field: put it under fields:"
            ),
            (
                "- topic: [a, b]\n  format: json\n  into: answers\n  fields: { id: a, questionId: b }",
                "must be the name of one topic; write an entry for each topic"
            ),
            (
                "- topic: a.*\n  format: json\n  into: answers\n  fields: { id: a, questionId: b }",
                "a pattern is none: write an entry for each topic"
            ),
            (
                "VOTES { answerId: a, voterId: c, value: { from: d, map: { 2 = 1 } } }",
                "'2 = 1' has nothing behind it"
            ),
            ("FIELDS { id: [a, b], questionId: b }", "must be a column, a JSON Pointer, or a mapping"),
            ("FIELDS { id: { from: [a, b] }, questionId: b }", "has several columns and no join"),
            ("FIELDS { id: { from: a, join: x }, questionId: b }", "which goes with a list of columns"),
            ("FIELDS { id: { as: millis }, questionId: b }", "has no from"),
            ("FIELDS { id: /a/~2, questionId: b }", "'/a/~2' is no JSON Pointer (RFC 6901)"),
            ("FIELDS { id: a, questionId: b, title: { from: c, split: ' ' } }", "has split:, which is for lists"),
            ("FIELDS { id: a, questionId: b }\n  carry: [title]", "which is a field of the answer"),
            ("FIELDS { id: a, questionId: b }\n  carry: [x, x]", "names x twice"),
            ("FIELDS { id: a, questionId: b }\n  carry: [/a/b]", "has a JSON Pointer, which needs a name"),
            ("FIELDS { id: a, questionId: b }\n  where: [a]", "where in site.yaml, line 5 must hold columns"),
            ("FIELDS { id: a, questionId: b }\n  where: { a: { nto: 1 } }", "unknown key 'nto' under where"),
            ("FIELDS { id: a, questionId: b }\n  where: { a: [] }", "has an empty list"),
            ("FIELDS { id: a, questionId: b }\n  topicPrefix: x", "belongs to a preset"),
            ("- preset: askbott\n  topicPrefix: x", "the nearest is askbot"),
            ("- preset: askbot", "needs a topicPrefix"),
            ("- preset: askbot\n  topicPrefix: x\n  into: votes", "does not go with preset"),
            ("VOTES { answerId: a }", "neither value, of a vote that was cast, nor voteCount"),
            ("VOTES { answerId: a, value: b }", "lacks voterId"),
            ("VOTES { answerId: a, value: b, voterId: c, voteCount: d }", "both value and voteCount"),
            ("VOTES { answerId: a, voterId: c, voteCount: d }", "votes that were counted have no voter"),
            (
                "VOTES { answerId: a, voterId: c, value: { from: d, map: [1] } }",
                "map in site.yaml, line 4 must hold values"
            ),
            ("topic: t", "must be a list"),
            ("- t", "must hold topic, format, into and fields"),
        ])
    func mistakes(yaml: String, sentence: String) throws {
        let yaml = yaml.replacing("FIELDS", with: "- topic: t\n  format: json\n  into: answers\n  fields:")
            .replacing("VOTES", with: "- topic: t\n  format: json\n  into: votes\n  fields:")
        let problems = try read(yaml).problems
        #expect(problems.contains { $0.contains(sentence) }, "\(problems)")
        #expect(problems.allSatisfy { $0.contains("site.yaml") && $0.hasSuffix(".") }, "\(problems)")
    }

    @Test("a topic has one format, and no entry stands behind one that takes all rows")
    func together() throws {
        let entry = "into: answers\n  fields: { id: a, questionId: b }"
        let two = try read(
            "- topic: t\n  format: json\n  \(entry)\n- topic: t\n  format: debezium\n  where: { a: 1 }\n  \(entry)")
        #expect(two.problems.first?.contains("a topic has one format") == true)
        let behind = try read("- topic: t\n  format: json\n  \(entry)\n- topic: t\n  format: json\n  \(entry)")
        #expect(behind.problems.first?.contains("would never get a row") == true)
        let twice =
            "- topic: t\n  format: json\n  into: votes\n  where: { k: 1 }\n  fields: { answerId: a, voterId: u, value: "
            + "v }\n"
        #expect(try read(twice + twice).problems.first?.contains("has the same where:") == true)
    }

    @Test("presets are right, and show what they are", arguments: SourcePreset.allCases)
    func presets(preset: SourcePreset) throws {
        let mappings = preset.mappings(topicPrefix: "forum.public")
        #expect(mappings.count >= 2)
        #expect(mappings.allSatisfy { $0.topic.hasPrefix("forum.public.") })
        #expect(Set(mappings.map(\.into)).isSuperset(of: [.questions, .answers]))
        #expect(try read("- preset: \(preset.rawValue)\n  topicPrefix: forum.public").mappings == mappings)
    }
}
