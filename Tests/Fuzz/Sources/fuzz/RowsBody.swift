import Bytes
import Records

@testable import Sources

/// Reads an input's lines as a source's records: a letter for the topic, the key, a tab, and the value, which is null
/// where the tab is missing. The records made of them are right for the worker, and do not depend on the lines read
/// before.
final class RowsBody {
    private let reader = RecordReader()

    func run(_ input: UnsafeRawBufferPointer) {
        let indexes = [SourceIndex(), SourceIndex()]
        let translator = SourceTranslator(Self.mappings, index: indexes[0])
        let fresh = SourceTranslator(Self.mappings, index: indexes[1])
        for line in input.split(separator: 0x0A, maxSplits: 64) {
            guard let first = line.first else { continue }
            let topic = Self.topics[Int(first) % Self.topics.count]
            let parts = line.dropFirst().split(separator: 0x09, maxSplits: 1, omittingEmptySubsequences: false)
            let key = [UInt8](parts[0])
            let value = parts.count > 1 ? [UInt8](parts[1]) : nil
            let outcome = outcome(translator, topic, key, value)
            // The last value's schema is forgotten: the outcome of a record does not depend on it.
            _ = self.outcome(fresh, topic, nil, Array("[]".utf8))
            precondition(outcome == self.outcome(fresh, topic, key, value), "it depends on what was read before")
            let keys = indexes.map { index in
                var keys: [[UInt8]] = []
                index.takeChanges { key, _ in keys.append(Array(key)) }
                return keys
            }
            precondition(keys[0] == keys[1], "the index depends on what was read before")
            for index in indexes { if keys[0].count == 1 { index.abort() } else { index.commit() } }
        }
    }

    /// The records in which a record results, or the reason why there are none.
    private func outcome(
        _ translator: SourceTranslator, _ topic: String, _ key: [UInt8]?, _ value: [UInt8]?
    ) -> String {
        var records: [ContractRecord] = []
        do {
            let outcome = try withBytes(key) { key in
                try withBytes(value) { value in
                    try translator.translate(topic: topic, partition: 0, key: key, value: value) { records.append($0) }
                }
            }
            for record in records { check(record) }
            return "\(outcome) \(records)"
        } catch {
            return "\(error)"
        }
    }

    private func check(_ record: ContractRecord) {
        withBytes(record.key) { key in
            withBytes(record.value) { value in
                do throws(RecordError) {
                    switch record.topic {
                    case .questions: _ = try reader.readQuestion(key: key, value: value)
                    case .answers: _ = try reader.readAnswer(key: key, value: value)
                    case .votes: _ = try reader.readVote(key: key, value: value)
                    }
                } catch {
                    preconditionFailure("the worker refuses what is published: \(error)")
                }
            }
        }
    }

    private func withBytes<Result>(_ bytes: [UInt8]?, _ body: (Bytes?) throws -> Result) rethrows -> Result {
        guard let bytes else { return try body(nil) }
        // Of a size of its own, so that a sanitizer sees every byte too many.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        return try body(Bytes(rebasing: memory[..<bytes.count]))
    }

    // MARK: - Mappings

    private static let topics = ["post", "reply", "vote", "tally"]

    /// Every conversion is in one of them.
    private static let mappings: [SourceMapping] = {
        func fields(
            _ topic: ContractTopic, _ columns: [String: String], _ change: (inout FieldMapping) -> Void = { _ in }
        ) -> [FieldMapping] {
            ContractField.all(of: topic).compactMap { field in
                guard let column = columns[field.name], let path = RowPath(column) else { return nil }
                var mapping = FieldMapping(field, .path(path))
                change(&mapping)
                return mapping
            }
        }
        func condition(_ values: [String?], isNegated: Bool = false, of column: String = "kind") -> RowCondition {
            RowCondition(path: RowPath(column)!, allowed: ValueSet(values: values, isNegated: isNegated))
        }
        func carried(_ name: String, _ column: String) -> CarriedColumn {
            CarriedColumn(name: name, path: RowPath(column)!)
        }
        let joined = FieldMapping.Source.joined([RowPath("site")!, RowPath("number")!], separator: "/")
        return [
            SourceMapping(
                topic: "post", format: .debezium, conditions: [condition(["question"])], into: .questions,
                fields: fields(
                    .questions,
                    [
                        "id": "id", "title": "title", "body": "body", "author/id": "/meta/by", "tags": "tags",
                        "author/displayName": "author", "askedAt": "made", "deleted": "gone",
                    ]
                ) { if $0.field.name == "title" { $0.standard = "untitled" } },
                carry: [carried("price", "price"), carried("meta", "meta"), carried("author/day", "day")]),
            SourceMapping(
                topic: "post", format: .debezium,
                conditions: [condition(["answer", "a"]), condition([nil], isNegated: true, of: "parent")],
                into: .answers,
                fields: fields(
                    .answers,
                    [
                        "id": "id", "questionId": "parent", "body": "body", "answeredAt": "edited", "withdrawn": "gone",
                        "author/rating": "price", "author/reviewCount": "score", "voteCount": "score",
                    ]
                ) {
                    if $0.field.name == "answeredAt" { $0.unit = .micros }
                    if $0.field.name == "withdrawn" { $0.test = ValueSet(values: [nil, "false"], isNegated: true) }
                }),
            SourceMapping(
                topic: "reply", format: .json, into: .answers,
                fields: fields(
                    .answers, ["id": "id", "questionId": "thread", "title": "/a/0", "body": "html", "answeredAt": "at"]
                ) { if $0.field.name == "id" { $0.source = joined } },
                carry: [carried("all", "rest")]),
            SourceMapping(
                topic: "vote", format: .debezium, into: .votes,
                fields: fields(
                    .votes, ["answerId": "post_id", "voterId": "user_id", "value": "kind", "castAt": "at"]
                ) { if $0.field.name == "value" { $0.replacements = ["2": "1", "3": "-1", "": "0"] } }),
            SourceMapping(
                topic: "tally", format: .debezium, into: .votes,
                fields: fields(.votes, ["answerId": "id", "voteCount": "total", "countedAt": "at"])),
        ]
    }()
}
