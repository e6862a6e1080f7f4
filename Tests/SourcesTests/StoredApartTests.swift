import Testing

@testable import Sources

/// PostgreSQL stores long values apart (TOAST) and leaves them out of changes that do not touch them. Debezium puts a
/// word in their place, which is no user's text.
@Suite("Values that the database did not send")
struct StoredApartTests {
    private static let yaml = """
        - topic: t
          format: debezium
          where: { kind: q, hidden: { not: true } }
          into: questions
          fields: { id: id, title: title, body: text, tags: tags, author/displayName: /meta/author/0 }
        - topic: t
          format: debezium
          where: { kind: a, hidden: { not: true } }
          into: answers
          fields:
            id: id
            questionId: parent
            body: text
            withdrawn: { from: reason, not: null }
          carry: [list]
        """
    private static let word = "__debezium_unavailable_value"
    private static let long = String(repeating: "<p>long</p>", count: 300)

    private func change(_ columns: String, kind: String = "a", _ operation: String = "u") -> String {
        #"{"op":"\#(operation)","before":null,"after":{"id":7,"kind":"\#(kind)","parent":1,\#(columns)}}"#
    }

    private func site(_ first: String, kind: String = "a") throws -> Site {
        let site = try Site(Self.yaml)
        try site.send("t", key: #"{"id":7}"#, change(first, kind: kind, "r"))
        return site
    }

    private func send(_ site: Site, _ columns: String, kind: String = "a") throws -> [Site.Published] {
        try site.send("t", key: #"{"id":7}"#, change(columns, kind: kind))
    }

    @Test("a row that was no source's for a while comes back whole")
    func comesBack() throws {
        let answer = #"{"id":7,"questionId":1,"body":"\#(Self.long)","withdrawn":false}"#
        let site = try site(#""text":"\#(Self.long)","hidden":false"#)
        #expect(
            try send(site, #""text":"\#(Self.word)","hidden":true"#).map(\.value) == [
                #"{"id":"7","questionId":"1","withdrawn":true}"#
            ])
        #expect(try send(site, #""text":"\#(Self.word)","hidden":true"#) == [])
        #expect(try send(site, #""text":"\#(Self.word)","hidden":false"#).map(\.value) == [answer])
        // Also where it was no source's from the beginning, and as another kind of record.
        let comment = try self.site(#""text":"\#(Self.long)""#, kind: "c")
        #expect(try send(comment, #""text":"\#(Self.word)""#).map(\.value) == [answer])
        #expect(
            try send(comment, #""text":"\#(Self.word)","title":"T""#, kind: "q").last?.value
                == #"{"id":7,"title":"T","body":"\#(Self.long)"}"#)
        // The kept values go with the row.
        try comment.send("t", key: #"{"id":7}"#, #"{"op":"d","before":{"id":7},"after":null}"#)
        #expect(try send(comment, #""text":"\#(Self.word)""#) == [])
    }

    @Test("a question that was deleted by a column comes back whole, and needs no text while it is deleted")
    func deletedByColumn() throws {
        let site = try Site(
            """
            - topic: t
              format: debezium
              into: questions
              fields: { id: id, title: title, body: text, deleted: { from: gone, in: [1] } }
            """)
        func send(_ columns: String, id: Int = 7) throws -> [String?] {
            try site.send(
                "t", key: #"{"id":\#(id)}"#, #"{"op":"u","before":null,"after":{"id":\#(id),"title":"T",\#(columns)}}"#
            ).map(\.value)
        }
        let question = #"{"id":7,"title":"T","body":"\#(Self.long)"}"#
        #expect(try send(#""text":"\#(Self.long)","gone":0"#) == [question])
        #expect(try send(#""text":"\#(Self.word)","gone":1"#) == [nil])
        #expect(try send(#""text":"\#(Self.word)","gone":1"#) == [nil])
        #expect(try send(#""text":"\#(Self.word)","gone":0"#) == [question])
        #expect(try send(#""text":"\#(Self.word)","gone":1"#, id: 8) == [nil])
    }

    @Test("a connector that begins again repeats changes of before, when the value was long")
    func repeated() throws {
        let site = try site(#""text":"\#(Self.long)""#)
        #expect(try send(site, #""text":"short""#).count == 1)
        #expect(try send(site, #""text":"\#(Self.word)""#).last?.value?.contains(#""body":"short""#) == true)
        #expect(try send(site, #""text":null"#).count == 1)
        #expect(try send(site, #""text":"\#(Self.word)""#).last?.value?.contains("body") == false)
        #expect(try send(site, #""text":"short""#).count == 1)
        // Deleted meanwhile, and there again.
        let deletion = #"{"op":"d","before":{"id":7},"after":null}"#
        try site.send("t", key: #"{"id":7}"#, deletion)
        #expect(try send(site, #""text":"new""#).count == 1)
        #expect(try send(site, #""text":"\#(Self.word)""#).last?.value?.contains(#""body":"new""#) == true)
        try site.send("t", key: #"{"id":7}"#, deletion)
        #expect(try send(site, #""text":"new""#).last?.value?.contains(#""body":"new""#) == true)
    }

    @Test("the word is no text in an array, an object, a number's bytes or Base64 either")
    func shapes() throws {
        let bytes = Self.word.utf8.map(String.init).joined(separator: ",")
        let shapes = [
            #"["\#(Self.word)"]"#, "[\(bytes)]", #"{"\#(Self.word)":"\#(Self.word)"}"#,
            #""X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==""#,
        ]
        for shape in shapes {
            let site = try site(#""text":"\#(Self.long)","list":["a","b"]"#)
            #expect(site.failure("t", key: #"{"id":9}"#, change(#""list":\#(shape)"#))?.contains("'list'") == true)
            let long = #"["\#(String(repeating: "a", count: 120))"]"#
            _ = try send(site, #""text":"\#(Self.long)","list":\#(long)"#)
            #expect(
                try send(site, #""text":"b","list":\#(shape)"#).last?.value?.hasSuffix(#""list":\#(long)}"#) == true)
        }
        let site = try site(
            #""text":"\#(Self.long)","title":"T","tags":["\#(String(repeating: "a", count: 120))"]"#, kind: "q")
        let value = try send(site, #""text":"b","title":"T","tags":["\#(Self.word)"]"#, kind: "q").last?.value
        #expect(value?.contains(#""tags":["aaaa"#) == true)
    }

    @Test("a place within a long column is kept, and whether one is NULL is known without its value")
    func parts() throws {
        let filler = String(repeating: "x", count: 2_000)
        let meta = #""{\"author\":[\"Ada\"],\"filler\":\"\#(filler)\"}""#
        let site = try site(#""title":"T","meta":\#(meta)"#, kind: "q")
        let record = #"{"id":7,"title":"U","author":{"displayName":"Ada"}}"#
        #expect(try send(site, #""title":"U","meta":"\#(Self.word)""#, kind: "q").map(\.value) == [record])
        #expect(
            try send(site, #""text":"b","reason":"\#(Self.word)""#).last?.value
                == #"{"id":7,"questionId":1,"body":"b","withdrawn":true}"#)
        #expect(
            site.failure("t", key: #"{"id":9}"#, change(#""hidden":"\#(Self.word)""#))?.contains("'hidden'") == true)
    }
}

@Suite("Columns that are not there")
struct MissingColumnTests {
    private static let yaml = """
        - topic: t
          format: debezium
          where: { post_typ: answer }
          into: questions
          fields: { id: id, title: title }
        - topic: t
          format: debezium
          into: answers
          fields: { id: ID, questionId: { from: [site, parentid], join: "-" }, body: /meta/htlm }
          carry: { language: lnag }
        """

    @Test("a dead letter names the nearest column of the row")
    func nearest() throws {
        let site = try Site(Self.yaml)
        func failure(_ row: String) -> String? { site.failure("t", #"{"op":"c","before":null,"after":\#(row)}"#) }
        #expect(
            failure(#"{"id":1,"parent_id":2,"site":"s"}"#)
                == "field 'id' has no value: the row has no column 'ID'; the nearest is 'id'")
        #expect(
            failure(#"{"ID":1,"parent_id":2,"site":"s"}"#)
                == "field 'questionId' has no value: the row has no column 'parentid'; the nearest is 'parent_id'")
        #expect(
            failure(#"{"ID":null,"parentid":2,"site":"s"}"#)
                == "field 'id' has no value: 'ID' is NULL; leave such rows out with where:, or give the field a "
                + "default:"
        )
        #expect(failure("{}") == "field 'id' has no value: the row has no column 'ID'")
    }

    @Test(
        "a name that is no column's says how to write what was meant",
        arguments: [
            ("/after.text", "no column 'after.text'; the nearest is 'text'; name the column alone"),
            ("/after/text", "no column 'after'; the nearest is"),
            ("/meta~1tags", "a place in a column is written as a JSON Pointer, which begins with /"),
            ("/$.meta.tags", "a place in a column is written as a JSON Pointer"),
            ("/#~1meta~1tags", "a place in a column is written as a JSON Pointer"),
        ])
    func noColumns(name: String, sentence: String) throws {
        let site = try Site("- { topic: t, format: debezium, into: questions, fields: { id: id, title: '\(name)' } }")
        let failure = site.failure("t", #"{"op":"c","before":null,"after":{"id":7,"text":"t","meta":{"tags":["a"]}}}"#)
        #expect(failure?.contains(sentence) == true, "\(failure ?? "")")
    }

    @Test("what leaves a field out, or passes a row over, without a word is told to people who look")
    func silent() throws {
        let site = try Site(Self.yaml)
        let text = Array(
            (#"{"op":"c","before":null,"after":{"ID":1,"parentid":2,"site":"s","post_type":"answer","lang":"en","#
                + #""meta":{"html":"x"}}}"#).utf8)
        let missing = text.withUnsafeBytes { site.translator.missingColumns(topic: "t", value: $0) }
        #expect(
            missing.mapValues { $0.map(\.sentence) } == [
                .conditions(0): ["where: the row has no column 'post_typ'; the nearest is 'post_type'"],
                .fields(1): ["carry 'language': the row has no column 'lnag'; the nearest is 'lang'"],
            ])
    }

    @Test("a pointer leads into JSON that stands in a text column")
    func pointers() throws {
        let site = try Site(
            """
            - topic: t
              format: debezium
              where: { /meta/state: live }
              into: answers
              fields: { id: /meta/ids/0, questionId: /meta/q, body: /meta/html, author/rating: /meta/n }
              carry: { all: /meta/more }
            """)
        let meta =
            #"{\"state\":\"live\",\"ids\":[1234567890123456789],\"q\":\"7\",\"html\":\"<p>\\\"é\\\"</p>\",\"n\":4.5,"#
            + #"\"more\":{\"a\":[1]}}"#
        #expect(
            try site.send("t", key: "1", #"{"op":"c","before":null,"after":{"meta":"\#(meta)"}}"#) == [
                .answer(
                    "7",
                    #"{"id":1234567890123456789,"questionId":"7","body":"<p>\"é\"</p>","author":{"rating":4.5},"#
                        + #""all":{"a":[1]}}"#
                )
            ])
        #expect(
            try site.outcome("t", key: "1", #"{"op":"c","before":null,"after":{"meta":"no JSON"}}"#).records.count == 1,
            "what it was is taken back")
    }

    @Test("entries of the index are placed among as many partitions as it had at first")
    func placement() throws {
        let index = SourceIndex()
        #expect(try index.placement(among: 6) == 6)
        #expect(try index.placement(among: 9) == 6)
        #expect(try index.placement(among: 4) == 4, "made anew")
        #expect(index.changes().map(\.value) == [Array("6".utf8), Array("4".utf8)])
    }
}
