import Testing

@testable import Sources

@Suite("Debezium's change events become contract records")
struct ChangeTests {
    static let posts = """
        - topic: forum.post
          format: debezium
          where: { post_type: question }
          into: questions
          fields: { id: id, title: title, body: text, askedAt: { from: added_at, as: micros } }
        - topic: forum.post
          format: debezium
          where: { post_type: answer }
          into: answers
          fields:
            id: id
            questionId: parent_id
            body: text
            answeredAt: { from: added_at, as: micros }
            withdrawn: { from: deleted, in: [true, 1, "t"] }
            voteCount: score
            author/displayName: author_name
          carry: [lang]
        """

    private func row(_ id: Int, parent: Int = 1, _ more: String = "") -> String {
        #"{"id":\#(id),"post_type":"answer","parent_id":\#(parent),"text":"t\#(id)","added_at":null\#(more)}"#
    }

    private func change(_ operation: String, before: String = "null", after: String = "null") -> String {
        #"{"before":\#(before),"after":\#(after),"source":{"table":"post"},"op":"\#(operation)","ts_ms":1}"#
    }

    @Test("a row of each kind goes to its topic, the others nowhere")
    func rows() throws {
        let site = try Site(Self.posts)
        let question =
            #"{"id":9007199254740993,"post_type":"question","title":"Why \ud83d\ude00?","text":null,"#
            + #""added_at":1700000000123456}"#
        #expect(
            try site.send("forum.post", key: #"{"id":9007199254740993}"#, change("r", after: question))
                == [
                    .question(
                        "9007199254740993",
                        #"{"id":9007199254740993,"title":"Why \ud83d\ude00?","askedAt":"2023-11-14T22:13:20.123456Z"}"#)
                ])
        let answer =
            #"{"id":7,"post_type":"answer","parent_id":9007199254740993,"text":"<p>\"x\"</p>","#
            + #""added_at":1700000000000000,"#
            + #""deleted":"t","score":-3,"author_name":"Ada","lang":"en"}"#
        #expect(
            try site.send("forum.post", key: #"{"id":7}"#, change("c", after: answer))
                == [
                    .answer(
                        "9007199254740993",
                        #"{"id":7,"questionId":9007199254740993,"body":"<p>\"x\"</p>","author":{"displayName":"Ada"},"#
                            + #""answeredAt":"2023-11-14T22:13:20Z","withdrawn":true,"voteCount":-3,"lang":"en"}"#)
                ])
        let comment = #"{"id":8,"post_type":"comment","parent_id":7}"#
        #expect(try site.send("forum.post", key: #"{"id":8}"#, change("c", after: comment)) == [])
    }

    @Test("a deletion is known by its key alone, and its tombstone is passed over")
    func deletion() throws {
        let site = try Site(Self.posts)
        let key = #"{"id":7}"#
        try site.send("forum.post", key: key, change("c", after: row(7, parent: 42)))
        #expect(
            try site.send("forum.post", key: key, change("d", before: #"{"id":7,"post_type":null,"parent_id":null}"#))
                == [.answer("42", #"{"id":"7","questionId":"42","withdrawn":true}"#)])
        #expect(try site.send("forum.post", key: key, nil) == [])
        // A row that was never published has nothing to take back, and one with the same id can come again.
        #expect(try site.send("forum.post", key: #"{"id":99}"#, change("d", before: #"{"id":99}"#)) == [])
        #expect(try site.send("forum.post", key: key, change("c", after: row(7, parent: 42))).count == 1)
    }

    @Test("a deletion whose row before is whole needs no index")
    func wholeBefore() throws {
        let site = try Site(Self.posts)
        #expect(
            try site.send("forum.post", key: #"{"id":7}"#, change("d", before: row(7, parent: 42)))
                == [.answer("42", #"{"id":"7","questionId":"42","withdrawn":true}"#)])
    }

    @Test("a question's deletion is a null value")
    func question() throws {
        let site = try Site(Self.posts)
        try site.send(
            "forum.post", key: #"{"id":1}"#, change("c", after: #"{"id":1,"post_type":"question","title":"?"}"#))
        #expect(
            try site.send("forum.post", key: #"{"id":1}"#, change("d", before: #"{"id":1}"#)) == [.question("1", nil)])
    }

    @Test("an answer that moves to another question leaves the first")
    func moves() throws {
        let site = try Site(Self.posts)
        let key = #"{"id":7}"#
        try site.send("forum.post", key: key, change("c", after: row(7, parent: 1)))
        #expect(
            try site.send("forum.post", key: key, change("u", after: row(7, parent: 2)))
                == [
                    .answer("1", #"{"id":"7","questionId":"1","withdrawn":true}"#),
                    .answer("2", #"{"id":7,"questionId":2,"body":"t7","withdrawn":false}"#),
                ])
        #expect(
            try site.send("forum.post", key: key, change("u", after: row(7).replacing("answer", with: "comment")))
                == [.answer("2", #"{"id":"7","questionId":"2","withdrawn":true}"#)])
    }

    @Test("rows flattened by Debezium's transform, and rows beside a Connect schema")
    func shapes() throws {
        let site = try Site(Self.posts)
        let expected = Site.Published.answer("1", #"{"id":7,"questionId":1,"body":"t7","withdrawn":false}"#)
        #expect(
            try site.send("forum.post", key: #"{"id":7}"#, row(7, #","__op":"c","__deleted":"false""#)) == [expected])
        let schema = #"{"type":"struct","fields":[{"field":"id","type":"int32"}],"optional":false}"#
        func wrapped(_ payload: String) -> String { #"{"schema":\#(schema),"payload":\#(payload)}"# }
        // The key's bytes are another's with a schema: the row is the same.
        for _ in 0..<3 {
            #expect(
                try site.send("forum.post", key: wrapped(#"{"id":7}"#), wrapped(change("u", after: row(7)))) == [
                    expected
                ])
        }
        #expect(
            try site.send("forum.post", key: wrapped(#"{"id":7}"#), row(7, #","__deleted":"true""#))
                == [.answer("1", #"{"id":"7","questionId":"1","withdrawn":true}"#)])
        try site.send("forum.post", key: #"{"id":8}"#, row(8))
        #expect(
            try site.send("forum.post", key: #"{"id":8}"#, nil)
                == [.answer("1", #"{"id":"8","questionId":"1","withdrawn":true}"#)],
            "the only word of a flattened deletion")
    }

    @Test("a value that the database did not send is as it was")
    func toast() throws {
        let site = try Site(Self.posts)
        let body = String(repeating: "<p>long</p>", count: 300)
        let key = #"{"id":7}"#
        try site.send("forum.post", key: key, change("r", after: row(7).replacing("t7", with: body)))
        let updated = row(7, #","score":5"#).replacing("t7", with: "__debezium_unavailable_value")
        #expect(
            try site.send("forum.post", key: key, change("u", after: updated))
                == [.answer("1", #"{"id":7,"questionId":1,"body":"\#(body)","withdrawn":false,"voteCount":5}"#)])
        #expect(
            try site.send("forum.post", key: key, change("u", after: updated)).count == 1,
            "and again, from what was kept")
        let unknown = site.failure(
            "forum.post", key: #"{"id":8}"#,
            change("u", after: row(8).replacing("t8", with: "__debezium_unavailable_value")))
        #expect(unknown?.contains("REPLICA IDENTITY FULL") == true)

        // A connector that begins again at an earlier position repeats the update of a row that was deleted meanwhile.
        try site.send("forum.post", key: key, change("d", before: #"{"id":7}"#))
        try site.send("forum.post", key: key, nil)
        #expect(try site.outcome("forum.post", key: key, change("u", after: updated)).outcome == .passedOver)
        #expect(try site.send("forum.post", key: key, change("d", before: #"{"id":7}"#)) == [])
        #expect(try site.send("forum.post", key: key, change("c", after: row(7))).count == 1)
    }

    @Test("truncations and what is no change are told")
    func truncation() throws {
        let site = try Site(Self.posts)
        #expect(site.failure("forum.post", change("t"))?.contains("TRUNCATE") == true)
        #expect(site.failure("forum.post", "[1]") == "the value is no row: it is JSON, but not an object")
        #expect(site.failure("forum.post", "{")?.hasPrefix("the value is no JSON: at byte 1 expected") == true)
        #expect(site.failure("forum.post", change("x", after: row(7)))?.contains("op is 'x'") == true)
        #expect(try site.send("forum.post", #"{"op":"m","before":null,"after":null,"message":{}}"#) == [])
    }

    @Test("a table without a primary key has no record keys")
    func keyless() throws {
        let site = try Site(Self.posts)
        try site.send("forum.post", change("c", after: row(7)))
        #expect(
            try site.send("forum.post", change("d", before: row(7)))
                == [.answer("1", #"{"id":"7","questionId":"1","withdrawn":true}"#)])
    }
}

@Suite("Votes")
struct SourceVoteTests {
    private static let yaml =
        ChangeTests.posts + """

            - topic: forum.vote
              format: debezium
              into: votes
              fields: { answerId: post_id, voterId: user_id, value: vote, castAt: { from: at, as: seconds } }
            """

    private func vote(_ id: Int, post: Int, user: Int = 5, _ value: Int = 1) -> String {
        #"{"op":"c","before":null,"after":{"id":\#(id),"post_id":\#(post),"user_id":\#(user),"vote":\#(value),"#
            + #""at":60}}"#
    }

    private func post(_ id: Int, _ type: String = "answer") -> String {
        #"{"op":"c","before":null,"after":{"id":\#(id),"post_type":"\#(type)","parent_id":1,"title":"?"}}"#
    }

    private func deletion(_ id: Int) -> String { #"{"op":"d","before":{"id":\#(id)},"after":null}"# }

    private static let cast = #"{"questionId":"1","answerId":7,"voterId":5,"value":1,"castAt":"1970-01-01T00:01:00Z"}"#

    @Test("a vote finds its question by its answer, and is taken back when its row goes")
    func finds() throws {
        let site = try Site(Self.yaml)
        try site.send("forum.post", key: #"{"id":7}"#, post(7))
        #expect(try site.send("forum.vote", key: #"{"id":1}"#, vote(1, post: 7)) == [.vote("1", Self.cast)])
        #expect(
            try site.send("forum.vote", key: #"{"id":1}"#, deletion(1))
                == [.vote("1", #"{"questionId":"1","answerId":"7","voterId":"5","value":0}"#)])
    }

    @Test("a vote waits for its answer, wherever that is worked on")
    func waits() throws {
        let site = try Site(Self.yaml)
        let (outcome, none) = try site.outcome("forum.vote", key: #"{"id":1}"#, vote(1, post: 7), partition: 2)
        #expect(outcome == .waiting && none == [])
        try site.send("forum.vote", key: #"{"id":2}"#, vote(2, post: 7, user: 6), partition: 2)
        try site.send("forum.vote", key: #"{"id":2}"#, deletion(2), partition: 2)
        let records = try site.send("forum.post", key: #"{"id":7}"#, post(7))
        #expect(records.count == 2 && records.last == .vote("1", Self.cast))
        #expect(try site.send("forum.vote", key: #"{"id":1}"#, vote(1, post: 7, -1), partition: 2).count == 1)
    }

    @Test("votes follow their answer to another question, those of other lanes' rows when those see it")
    func moves() throws {
        let site = try Site(Self.yaml)
        try site.send("forum.post", key: #"{"id":7}"#, post(7))
        try site.send("forum.vote", key: #"{"id":1}"#, vote(1, post: 7))
        let moved = post(7).replacing(#""parent_id":1"#, with: #""parent_id":2"#)
        let retracted = Site.Published.vote("1", #"{"questionId":"1","answerId":"7","voterId":"5","value":0}"#)
        let cast = Site.Published.vote("2", Self.cast.replacing(#""questionId":"1""#, with: #""questionId":"2""#))
        #expect(try site.send("forum.post", key: #"{"id":7}"#, moved).suffix(2) == [retracted, cast])
        #expect(try site.send("forum.post", key: #"{"id":7}"#, moved).count == 1)

        // The row is another lane's: it takes the vote along when it has the partition, or the index's entry comes.
        site.translator.owns = { _ in false }
        #expect(try site.send("forum.post", key: #"{"id":7}"#, post(7)).allSatisfy { $0.topic == .answers })
        site.translator.owns = { _ in true }
        var votes: [Site.Published] = []
        #expect(try site.translator.settleAll { votes.append(Site.Published($0)) } == 1)
        #expect(votes.map(\.key) == ["2", "1"])
        #expect(try site.translator.settleAll { votes.append(Site.Published($0)) } == 0)

        // A move is two entries of the index, in two of its partitions: whichever comes last takes the votes along.
        site.translator.owns = { _ in false }
        try site.send("forum.post", key: #"{"id":7}"#, moved)
        site.translator.owns = { _ in true }
        #expect(try settle(site, IndexKey.moved("7"), [1]) == 1)
        try site.send("forum.post", key: #"{"id":7}"#, post(7))

        // Deleted, and back under another question.
        try site.send("forum.post", key: #"{"id":7}"#, deletion(7))
        #expect(try site.send("forum.post", key: #"{"id":7}"#, moved).last == cast)
        #expect(try site.send("forum.vote", key: #"{"id":1}"#, deletion(1)).map(\.key) == ["2"])
    }

    @Test("votes are followed up when another lane's answer comes, and not again for one of the lane's own")
    func ownEntries() throws {
        let site = try Site(Self.yaml)
        try site.send("forum.vote", key: #"{"id":1}"#, vote(1, post: 7))
        // Its own entry, written while the vote's row was another lane's.
        site.translator.owns = { _ in false }
        try site.send("forum.post", key: #"{"id":7}"#, post(7))
        site.translator.owns = { _ in true }
        #expect(try settle(site, IndexKey.answer("7"), Array("1".utf8)) == 0)
        // The same entry with another question is another lane's.
        #expect(try settle(site, IndexKey.answer("7"), Array("2".utf8)) == 1)
    }

    private func settle(_ site: Site, _ key: [UInt8], _ value: [UInt8]) throws -> Int {
        try key.withUnsafeBytes { key in
            try value.withUnsafeBytes { value in try site.translator.settle(afterIndexKey: key, value) { _ in } }
        }
    }

    @Test("votes on questions are nobody's, before and after their question has come")
    func onQuestions() throws {
        let site = try Site(Self.yaml)
        try site.send("forum.vote", key: #"{"id":1}"#, vote(1, post: 9))
        #expect(try site.send("forum.post", key: #"{"id":9}"#, post(9, "question")).count == 1)
        #expect(try site.send("forum.vote", key: #"{"id":2}"#, vote(2, post: 9)) == [])
        #expect(try site.index.waitingVotes().isEmpty)
        #expect(site.records.allSatisfy { $0.topic == .questions })
    }

    @Test("what was written in a transaction that is void is forgotten")
    func aborts() throws {
        let site = try Site(Self.yaml)
        try site.send("forum.vote", key: #"{"id":1}"#, vote(1, post: 7))
        var emitted = 0
        let value = Array(post(7).utf8)
        _ = try value.withUnsafeBytes { value in
            try site.translator.translate(topic: "forum.post", partition: 0, key: nil, value: value) { _ in emitted += 1
            }
        }
        site.index.abort()
        #expect(emitted == 2)
        #expect(try site.send("forum.post", key: #"{"id":7}"#, post(7)).count == 2)
    }
}
