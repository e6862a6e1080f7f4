/// Words of other systems, and the word of a mapping that each stands for: the nearest in meaning, not in letters.
enum OtherNames {
    static let keys = [
        "filter": "where", "condition": "where", "conditions": "where", "when": "where", "rows": "where",
        "mapping": "fields", "mappings": "fields", "columns": "fields", "field": "fields", "properties": "fields",
        "topics": "topic", "table": "topic", "stream": "topic", "name": "topic", "source": "topic", "target": "into",
        "to": "into", "type": "into", "as": "into", "converter": "format", "encoding": "format",
        "deserializer": "format", "extra": "carry", "include": "carry", "keep": "carry", "prefix": "topicPrefix",
    ]

    static let formats = [
        "cdc": "debezium", "connect": "debezium", "kafka-connect": "debezium", "dbz": "debezium",
        "envelope": "debezium", "jsonschema": "json-schema", "json_schema": "json-schema", "plain": "json",
        "jsonl": "json", "row": "json",
    ]

    static let topics = [
        "question": "questions", "thread": "questions", "threads": "questions", "topic": "questions",
        "topics": "questions", "post": "questions", "posts": "questions", "questions.enriched": "questions",
        "answer": "answers", "comment": "answers", "comments": "answers", "reply": "answers", "replies": "answers",
        "response": "answers", "responses": "answers", "vote": "votes", "like": "votes", "likes": "votes",
        "score": "votes", "scores": "votes", "rating": "votes", "ratings": "votes", "reactions": "votes",
        "upvotes": "votes", "tallies": "votes",
    ]

    /// The names in a field's mapping.
    static let fieldKeys = [
        "column": "from", "columns": "from", "col": "from", "source": "from", "field": "from", "path": "from",
        "pointer": "from", "unit": "as", "type": "as", "format": "as", "convert": "as", "equals": "in", "is": "in",
        "eq": "in", "values": "in", "oneOf": "in", "true": "in", "ne": "not", "except": "not", "mapping": "map",
        "translate": "map", "case": "map", "switch": "map", "separator": "split", "delimiter": "split", "sep": "split",
        "concat": "join", "glue": "join", "else": "default", "otherwise": "default", "ifNull": "default",
        "coalesce": "default", "value": "constant", "const": "constant", "literal": "constant", "static": "constant",
    ]

    /// The fields of a topic's records.
    static func fields(of topic: ContractTopic) -> [String: String] {
        let author = ["author/name": "author/displayName", "authorName": "author/displayName"]
        let named = [
            "name": "title", "subject": "title", "heading": "title", "headline": "title", "text": "body",
            "content": "body", "html": "body", "description": "body", "message": "body", "user": "author/id",
            "userId": "author/id", "user_id": "author/id", "authorId": "author/id", "username": "author/displayName",
            "nick": "author/displayName",
        ].merging(author) { $1 }
        func times(_ field: String) -> [String: String] {
            let words = [
                "created", "createdAt", "created_at", "date", "time", "timestamp", "postedAt", "askedAt", "answeredAt",
                "castAt", "addedAt",
            ]
            return Dictionary(uniqueKeysWithValues: words.map { ($0, field) })
        }
        func deletions(_ field: String) -> [String: String] {
            let words = [
                "deleted", "withdrawn", "removed", "hidden", "isDeleted", "is_deleted", "deletedAt", "deleted_at",
            ]
            return Dictionary(uniqueKeysWithValues: words.map { ($0, field) })
        }
        let tallies = ["score": "voteCount", "points": "voteCount", "likes": "voteCount", "votes": "voteCount"]
        let parents = [
            "parent": "questionId", "parentId": "questionId", "parent_id": "questionId", "threadId": "questionId",
        ]
        let names: [String: String] =
            switch topic {
            case .questions:
                named.merging(times("askedAt")) { $1 }.merging(deletions("deleted")) { $1 }
                    .merging(["labels": "tags", "categories": "tags", "keywords": "tags", "questionId": "id"]) { $1 }
            case .answers:
                named.merging(times("answeredAt")) { $1 }.merging(deletions("withdrawn")) { $1 }
                    .merging(tallies) { $1 }.merging(parents) { $1 }.merging(["answerId": "id"]) { $1 }
            case .votes:
                times("castAt").merging(tallies) { $1 }.merging([
                    "postId": "answerId", "post_id": "answerId", "id": "answerId", "userId": "voterId",
                    "user_id": "voterId", "user": "voterId", "direction": "value", "vote": "value", "sign": "value",
                ]) { $1 }
            }
        let known = Set(ContractField.all(of: topic).map(\.name))
        return names.filter { !known.contains($0.key) }
    }
}
