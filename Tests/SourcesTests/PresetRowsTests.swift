import Testing

@testable import Sources

/// Rows of the sites that the presets are for, written by hand after their public schemas, as Debezium publishes them
/// of PostgreSQL and of MySQL: `timestamptz` and MySQL's `TIMESTAMP` as text, `timestamp` and `DATETIME` in
/// microseconds, a boolean as `true` or as 1.
@Suite("Rows of the presets' sites")
struct PresetRowsTests {
    private func site(_ preset: SourcePreset) throws -> Site {
        try Site("- { preset: \(preset.rawValue), topicPrefix: site }")
    }

    /// 2024-05-01T10:00:00.25Z
    private let micros = 1_714_557_600_250_000

    private func change(_ row: String, _ operation: String = "c") -> String {
        #"{"before":null,"after":\#(row),"source":{"connector":"postgresql"},"op":"\#(operation)","#
            + #""ts_ms":1714557600300}"#
    }

    private func deletion(_ before: String) -> String {
        #"{"before":\#(before),"after":null,"source":{"connector":"postgresql"},"op":"d","ts_ms":1714557600300}"#
    }

    @Test("askbot: a thread is a question, its posts of the type 'answer' are the answers")
    func askbot() throws {
        let site = try site(.askbot)
        func thread(_ added: String, deleted: String) -> String {
            #"{"id":12,"title":"How do I oil a hinge?","tagnames":"doors oil","view_count":3,"answer_count":1,"#
                + #""added_at":\#(added),"last_activity_at":\#(added),"last_activity_by_id":7,"language_code":"en","#
                + #""closed":\#(deleted),"accepted_answer_id":40,"points":2,"approved":true,"deleted":\#(deleted)}"#
        }
        let question = #"{"id":12,"title":"How do I oil a hinge?","tags":["doors","oil"],"#
        #expect(
            try site.send(
                "site.askbot_thread", key: #"{"id":12}"#,
                change(thread(#""2024-05-01T10:00:00.250000Z""#, deleted: "false"), "r"))
                == [
                    .question(
                        "12",
                        question
                            + #""askedAt":"2024-05-01T10:00:00.250000Z","language_code":"en","accepted_answer_id":40}"#)
                ])
        #expect(
            try site.send("site.askbot_thread", key: #"{"id":12}"#, change(thread("\(micros)", deleted: "0"), "u"))
                == [
                    .question(
                        "12",
                        question + #""askedAt":"2024-05-01T10:00:00.25Z","language_code":"en","accepted_answer_id":40}"#
                    )
                ])
        func post(_ id: Int, _ type: String, deleted: String) -> String {
            #"{"id":\#(id),"post_type":"\#(type)","thread_id":12,"parent_id":39,"author_id":7,"added_at":\#(micros),"#
                + #""deleted":\#(deleted),"wiki":false,"points":2,"text":"A drop.","html":"<p>A drop.</p>","#
                + #""summary":"A drop.","language_code":"en","approved":true}"#
        }
        func answer(withdrawn: Bool) -> Site.Published {
            .answer(
                "12",
                #"{"id":40,"questionId":12,"body":"<p>A drop.</p>","author":{"id":7},"#
                    + #""answeredAt":"2024-05-01T10:00:00.25Z","withdrawn":\#(withdrawn),"voteCount":2,"#
                    + #""wiki":false,"language_code":"en"}"#)
        }
        let key = #"{"id":40}"#
        #expect(
            try site.send("site.askbot_post", key: key, change(post(40, "answer", deleted: "false")))
                == [answer(withdrawn: false)])
        #expect(
            try site.send("site.askbot_post", key: key, change(post(40, "answer", deleted: "1"), "u"))
                == [answer(withdrawn: true)])
        for type in ["question", "comment"] {
            #expect(
                try site.send("site.askbot_post", key: #"{"id":41}"#, change(post(41, type, deleted: "false"))) == [])
        }
        #expect(
            try site.send("site.askbot_post", key: key, deletion(#"{"id":40}"#))
                == [.answer("12", #"{"id":"40","questionId":"12","withdrawn":true}"#)])
        #expect(
            try site.send(
                "site.askbot_thread", key: #"{"id":12}"#, change(thread("\(micros)", deleted: "true"), "u"))
                == [.question("12", nil)])
    }

    @Test("apache-answer: questions and answers with their counted votes, of MySQL and of PostgreSQL")
    func apacheAnswer() throws {
        let site = try site(.apacheAnswer)
        func question(status: Int, _ created: String) -> String {
            #"{"id":10010000000000017,"created_at":\#(created),"updated_at":\#(created),"user_id":1,"#
                + #""title":"Why rust?","#
                + #""original_text":"Iron.","parsed_text":"<p>Iron.</p>","status":\#(status),"view_count":9,"#
                + #""unique_view_count":4,"vote_count":1,"answer_count":1,"collection_count":0,"follow_count":0,"#
                + #""accepted_answer_id":10020000000000021,"last_answer_id":0,"revision_id":5}"#
        }
        func published(_ asked: String) -> Site.Published {
            .question(
                "10010000000000017",
                #"{"id":10010000000000017,"title":"Why rust?","body":"<p>Iron.</p>","author":{"id":1},"#
                    + #""askedAt":"\#(asked)","accepted_answer_id":10020000000000021,"view_count":9}"#)
        }
        let (topic, key) = ("site.question", #"{"id":10010000000000017}"#)
        #expect(
            try site.send(topic, key: key, change(question(status: 1, #""2024-05-01T10:00:00Z""#), "r"))
                == [published("2024-05-01T10:00:00Z")])
        // Closed (2) is no deletion.
        #expect(
            try site.send(topic, key: key, change(question(status: 2, "\(micros)"), "u"))
                == [published("2024-05-01T10:00:00.25Z")])
        func answer(status: Int) -> String {
            #"{"id":10020000000000021,"created_at":"2024-05-01T11:00:00Z","updated_at":null,"#
                + #""question_id":10010000000000017,"user_id":2,"last_edit_user_id":0,"original_text":"Water.","#
                + #""parsed_text":"<p>Water.</p>","status":\#(status),"adopted":2,"comment_count":0,"#
                + #""vote_count":-1,"revision_id":6}"#
        }
        for (status, withdrawn) in [(1, false), (11, true), (10, true)] {
            #expect(
                try site.send("site.answer", key: #"{"id":10020000000000021}"#, change(answer(status: status), "u"))
                    == [
                        .answer(
                            "10010000000000017",
                            #"{"id":10020000000000021,"questionId":10010000000000017,"body":"<p>Water.</p>","#
                                + #""author":{"id":2},"answeredAt":"2024-05-01T11:00:00Z","withdrawn":\#(withdrawn),"#
                                + #""voteCount":-1,"accepted":2}"#)
                    ])
        }
        #expect(
            try site.send(topic, key: key, change(question(status: 10, "\(micros)"), "u"))
                == [.question("10010000000000017", nil)])
    }

    @Test("discourse: topics, and their posts from the second on")
    func discourse() throws {
        let site = try site(.discourse)
        func topic(_ id: Int, _ archetype: String, deleted: String = "null") -> String {
            #"{"id":\#(id),"title":"Which glue?","created_at":\#(micros),"updated_at":\#(micros),"views":8,"#
                + #""posts_count":2,"user_id":3,"last_post_user_id":4,"reply_count":1,"deleted_at":\#(deleted),"#
                + #""highest_post_number":2,"like_count":3,"category_id":4,"visible":true,"closed":false,"#
                + #""archetype":"\#(archetype)","slug":"which-glue","fancy_title":"Which glue?"}"#
        }
        #expect(
            try site.send("site.topics", key: #"{"id":5}"#, change(topic(5, "regular"), "r"))
                == [
                    .question(
                        "5",
                        #"{"id":5,"title":"Which glue?","author":{"id":3},"askedAt":"2024-05-01T10:00:00.25Z","#
                            + #""category_id":4,"slug":"which-glue"}"#)
                ])
        #expect(try site.send("site.topics", key: #"{"id":6}"#, change(topic(6, "private_message"), "r")) == [])
        func post(_ id: Int, number: Int, type: Int = 1, deleted: String = "null") -> String {
            #"{"id":\#(id),"user_id":4,"topic_id":5,"post_number":\#(number),"raw":"Wood glue.","#
                + #""cooked":"<p>Wood glue.</p>","created_at":\#(micros),"updated_at":\#(micros),"#
                + #""reply_to_post_number":null,"deleted_at":\#(deleted),"like_count":3,"score":15.2,"#
                + #""post_type":\#(type),"hidden":false,"user_deleted":false,"wiki":false,"version":1}"#
        }
        func answer(withdrawn: Bool) -> Site.Published {
            .answer(
                "5",
                #"{"id":9,"questionId":5,"body":"<p>Wood glue.</p>","author":{"id":4},"#
                    + #""answeredAt":"2024-05-01T10:00:00.25Z","withdrawn":\#(withdrawn),"voteCount":3}"#)
        }
        let key = #"{"id":9}"#
        #expect(try site.send("site.posts", key: #"{"id":8}"#, change(post(8, number: 1), "r")) == [])
        #expect(try site.send("site.posts", key: #"{"id":10}"#, change(post(10, number: 3, type: 3), "r")) == [])
        #expect(
            try site.send("site.posts", key: key, change(post(9, number: 2), "r")) == [answer(withdrawn: false)])
        #expect(
            try site.send("site.posts", key: key, change(post(9, number: 2, deleted: "\(micros)"), "u"))
                == [answer(withdrawn: true)])
        #expect(
            try site.send("site.posts", key: key, deletion(#"{"id":9}"#))
                == [.answer("5", #"{"id":"9","questionId":"5","withdrawn":true}"#)])
        #expect(
            try site.send("site.topics", key: #"{"id":5}"#, change(topic(5, "regular", deleted: "\(micros)"), "u"))
                == [.question("5", nil)])
    }

    @Test("stack-exchange: rows of a dump as JSON")
    func stackExchange() throws {
        let site = try site(.stackExchange)
        #expect(
            try site.send(
                "site.Posts", key: "4",
                #"{"Id":4,"PostTypeId":1,"AcceptedAnswerId":7,"CreationDate":"2008-07-31T21:42:52.667","Score":794,"#
                    + #""Body":"<p>b</p>","OwnerUserId":8,"Title":"Convert?","Tags":"|c#|.net|","AnswerCount":1,"#
                    + #""ContentLicense":"CC BY-SA 4.0"}"#)
                == [
                    .question(
                        "4",
                        #"{"id":4,"title":"Convert?","body":"<p>b</p>","author":{"id":8},"tags":["c#",".net"],"#
                            + #""askedAt":"2008-07-31T21:42:52.667Z","AcceptedAnswerId":7,"#
                            + #""ContentLicense":"CC BY-SA 4.0"}"#
                    )
                ])
        #expect(
            try site.send(
                "site.Posts", key: "7",
                #"{"Id":7,"PostTypeId":2,"ParentId":4,"CreationDate":"2008-07-31T22:17:57.883","Score":5,"Body":"x","#
                    + #""OwnerDisplayName":"Ann"}"#)
                == [
                    .answer(
                        "4",
                        #"{"id":7,"questionId":4,"body":"x","author":{"displayName":"Ann"},"#
                            + #""answeredAt":"2008-07-31T22:17:57.883Z"}"#)
                ])
        let vote = { (id: Int, type: Int, post: Int) in
            #"{"Id":\#(id),"PostId":\#(post),"VoteTypeId":\#(type),"CreationDate":"2008-08-01T00:00:00.000"}"#
        }
        #expect(
            try site.send("site.Votes", key: "31", vote(31, 3, 7))
                == [
                    .vote(
                        "4",
                        #"{"questionId":"4","answerId":7,"voterId":31,"value":-1,"castAt":"2008-08-01T00:00:00.000Z"}"#)
                ])
        // A favourite, and a vote on the question.
        #expect(try site.send("site.Votes", key: "32", vote(32, 5, 7)) == [])
        #expect(try site.send("site.Votes", key: "33", vote(33, 2, 4)) == [])
    }
}
