import Yams

/// Mappings of schemas that many sites run. A preset is the YAML that an operator would write: `rejoinder sources show`
/// prints it, for copying and changing.
package enum SourcePreset: String, CaseIterable, Sendable {
    case askbot
    case apacheAnswer = "apache-answer"
    case discourse
    case stackExchange = "stack-exchange"

    /// Placeholder for the prefix of the topics' names.
    private static let prefixMark = "PREFIX"

    /// A description in one line.
    package var summary: String {
        switch self {
        case .askbot: "Askbot 0.10 and later: threads as questions, posts of the type 'answer'"
        case .apacheAnswer: "Apache Answer 1.x: its tables question and answer"
        case .discourse: "Discourse: topics as questions, their later posts as answers, likes as votes"
        case .stackExchange: "Stack Exchange data dumps: Posts and Votes, one JSON object a row"
        }
    }

    var exampleTable: String {
        switch self {
        case .askbot: "askbot_post"
        case .apacheAnswer: "answer"
        case .discourse: "posts"
        case .stackExchange: "Posts"
        }
    }

    /// Its mappings, for topics named prefix, dot, table.
    package func mappings(topicPrefix: String) -> [SourceMapping] {
        var reader = SourceConfigurationReader(path: "preset \(rawValue)")
        guard let node = try? Yams.compose(yaml: yaml(topicPrefix: topicPrefix)), let sources = node["sources"] else {
            return []
        }
        reader.read(sources)
        return reader.problems.isEmpty ? reader.mappings : []
    }

    /// As a part of a configuration file.
    package func yaml(topicPrefix: String) -> String {
        text.replacing(Self.prefixMark, with: topicPrefix)
    }

    private var text: String {
        switch self {
        case .askbot: Self.askbotText
        case .apacheAnswer: Self.apacheAnswerText
        case .discourse: Self.discourseText
        case .stackExchange: Self.stackExchangeText
        }
    }

    private static let askbotText = """
        # Askbot keeps a question's title and tags in its thread, and its text in a post. One record is made of one
        # row, so the question is the thread; the question's text stays in the post.
        sources:
          - topic: PREFIX.askbot_thread
            format: debezium
            into: questions
            fields:
              id: id
              title: title
              tags: { from: tagnames, split: " " }
              askedAt: { from: added_at, as: micros }
              deleted: { from: deleted, in: [true, 1, "t"] }
            carry: [language_code, accepted_answer_id]
          - topic: PREFIX.askbot_post
            format: debezium
            where: { post_type: answer }
            into: answers
            fields:
              id: id
              questionId: thread_id
              body: html
              author/id: author_id
              answeredAt: { from: added_at, as: micros }
              withdrawn: { from: deleted, in: [true, 1, "t"] }
              voteCount: points
            carry: [wiki, language_code]

        """

    private static let apacheAnswerText = """
        # Apache Answer counts an answer's votes in the answer's row. Status 10 is deleted, 11 waits for review.
        sources:
          - topic: PREFIX.question
            format: debezium
            into: questions
            fields:
              id: id
              title: { from: title, default: "(untitled)" }
              body: parsed_text
              author/id: user_id
              askedAt: { from: created_at, as: micros }
              deleted: { from: status, in: [10, 11] }
            carry: [accepted_answer_id, view_count]
          - topic: PREFIX.answer
            format: debezium
            into: answers
            fields:
              id: id
              questionId: question_id
              body: parsed_text
              author/id: user_id
              answeredAt: { from: created_at, as: micros }
              withdrawn: { from: status, in: [10, 11] }
              voteCount: vote_count
            carry: { accepted: adopted }

        """

    private static let discourseText = """
        # A Discourse topic is the question, its posts from the second on are the answers. The topic's first post
        # holds the question's text; one record is made of one row, so that stays there.
        sources:
          - topic: PREFIX.topics
            format: debezium
            where: { archetype: regular }
            into: questions
            fields:
              id: id
              title: title
              author/id: user_id
              askedAt: { from: created_at, as: micros }
              deleted: { from: deleted_at, not: null }
            carry: [category_id, slug]
          - topic: PREFIX.posts
            format: debezium
            where: { post_number: { not: 1 }, post_type: 1 }
            into: answers
            fields:
              id: id
              questionId: topic_id
              body: cooked
              author/id: user_id
              answeredAt: { from: created_at, as: micros }
              withdrawn: { from: deleted_at, not: null }
              voteCount: like_count

        """

    private static let stackExchangeText = """
        # A dump's rows as JSON, one object a record, keyed by Id. The dump does not say who voted: each vote counts
        # as a voter's of its own.
        sources:
          - topic: PREFIX.Posts
            format: json
            where: { PostTypeId: 1 }
            into: questions
            fields:
              id: Id
              title: { from: Title, default: "(untitled)" }
              body: Body
              author/id: OwnerUserId
              author/displayName: OwnerDisplayName
              tags: { from: Tags, split: "<>|" }
              askedAt: CreationDate
            carry: [AcceptedAnswerId, ContentLicense]
          - topic: PREFIX.Posts
            format: json
            where: { PostTypeId: 2 }
            into: answers
            fields:
              id: Id
              questionId: ParentId
              body: Body
              author/id: OwnerUserId
              author/displayName: OwnerDisplayName
              answeredAt: CreationDate
            carry: [ContentLicense]
          - topic: PREFIX.Votes
            format: json
            where: { VoteTypeId: [2, 3] }
            into: votes
            fields:
              answerId: PostId
              voterId: { from: Id }
              value: { from: VoteTypeId, map: { 2: 1, 3: -1 } }
              castAt: CreationDate

        """
}
