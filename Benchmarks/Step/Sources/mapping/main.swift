import AnswerStore
import Bytes
import Foundation
import Sources

// `mapping EVENTS STATE [ROUNDS]`: translates Debezium's change events (Benchmarks/harness/change_events.py) in a
// process without Kafka, and prints a JSON object of nanoseconds of processor time per row. The first round meets an
// empty index in the directory STATE, the later ones the rows that it has. The follower's part of a lane, writing the
// changes into the store, is timed by itself.

/// A file of lines of topic, key and value, in memory.
final class Events {
    struct Event {
        let topic: Int
        let key: Bytes
        let value: Bytes
    }

    private(set) var topics: [String] = []
    private(set) var all: [Event] = []
    private(set) var bytes = 0
    private let memory: UnsafeMutableRawBufferPointer

    init(path: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        memory = .allocate(byteCount: data.count, alignment: 1)
        data.copyBytes(to: memory)
        for line in Bytes(memory).split(separator: 0x0A) {
            let parts = line.split(separator: 0x09)
            guard parts.count == 3 else { throw Failure(text: "\(path) has a line that is not of three parts") }
            let name = String(decoding: parts[0], as: UTF8.self)
            if !topics.contains(name) { topics.append(name) }
            all.append(
                Event(
                    topic: topics.firstIndex(of: name) ?? 0, key: Bytes(rebasing: parts[1]),
                    value: Bytes(rebasing: parts[2])))
            bytes += parts[1].count + parts[2].count
        }
    }

    deinit { memory.deallocate() }
}

struct Failure: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}

func mappings() throws -> [SourceMapping] {
    func fields(_ topic: ContractTopic, _ columns: [String: String]) throws -> [FieldMapping] {
        try ContractField.all(of: topic).compactMap { field in
            try columns[field.name].map { column in
                guard let path = RowPath(column) else { throw Failure(text: "\(column) is no column") }
                return FieldMapping(field, .path(path))
            }
        }
    }
    func condition(_ values: [String]) throws -> RowCondition {
        guard let path = RowPath("kind") else { throw Failure(text: "kind is no column") }
        return RowCondition(path: path, allowed: ValueSet(values: values))
    }
    var vote = try fields(.votes, ["answerId": "post_id", "voterId": "user_id", "value": "kind", "castAt": "at"])
    for place in vote.indices where vote[place].field.name == "value" {
        vote[place].replacements = ["2": "1", "3": "-1"]
    }
    return [
        SourceMapping(
            topic: "site.public.post", format: .debezium, conditions: [try condition(["question"])], into: .questions,
            fields: try fields(
                .questions,
                [
                    "id": "id", "title": "title", "body": "body", "author/displayName": "author", "tags": "tags",
                    "askedAt": "made", "deleted": "gone",
                ])),
        SourceMapping(
            topic: "site.public.post", format: .debezium, conditions: [try condition(["answer"])], into: .answers,
            fields: try fields(
                .answers,
                [
                    "id": "id", "questionId": "parent", "body": "body", "author/displayName": "author",
                    "answeredAt": "edited", "withdrawn": "gone",
                ])),
        SourceMapping(
            topic: "site.public.vote", format: .debezium, conditions: [try condition(["2", "3"])], into: .votes,
            fields: vote),
    ]
}

/// A lane's work without Kafka: a batch of rows, then the store follows the index's changes.
final class Trial {
    private static let batch = 2_048
    private let events: Events
    private let store: IndexStore
    private let index: SourceIndex
    private let translator: SourceTranslator
    private(set) var published = 0
    private(set) var publishedBytes = 0
    private(set) var changes = 0
    private(set) var mapping: Int64 = 0
    private(set) var following: Int64 = 0

    init(_ events: Events, state: String) throws {
        self.events = events
        store = try IndexStore(directory: state, source: "bench")
        index = SourceIndex(store: store)
        translator = SourceTranslator(try mappings(), index: index)
    }

    func round() throws {
        (published, publishedBytes, changes, mapping, following) = (0, 0, 0, 0, 0)
        var position = 0
        while position < events.all.count {
            let end = min(position + Self.batch, events.all.count)
            let began = Self.now
            var taken: [(key: [UInt8], value: [UInt8]?)] = []
            for event in events.all[position..<end] { try translate(event, &taken) }
            index.commit()
            let middle = Self.now
            for change in taken { try follow(change) }
            try store.commitIfDue()
            index.forgetAll()
            mapping += middle - began
            following += Self.now - middle
            position = end
        }
    }

    private func translate(_ event: Events.Event, _ taken: inout [(key: [UInt8], value: [UInt8]?)]) throws {
        _ = try translator.translate(
            topic: events.topics[event.topic], partition: 0, key: event.key, value: event.value
        ) { record in
            published += 1
            publishedBytes += record.key.count + (record.value?.count ?? 0)
        }
        index.takeChanges { key, value in
            taken.append((Array(key), value.map { Array($0) }))
            changes += 1
        }
    }

    private func follow(_ change: (key: [UInt8], value: [UInt8]?)) throws {
        try change.key.withUnsafeBytes { key in
            if let value = change.value {
                try value.withUnsafeBytes { try index.follow(key, $0) }
            } else {
                try index.follow(key, nil)
            }
        }
    }

    private static var now: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
    print("usage: mapping EVENTS STATE [ROUNDS]")
    exit(64)
}
let events = try Events(path: arguments[1])
let trial = try Trial(events, state: arguments[2])
let rows = Double(events.all.count)
for _ in 0..<(arguments.count > 3 ? Int(arguments[3]) ?? 1 : 2) {
    try trial.round()
    let figures: [String: Double] = [
        "rows": rows, "bytes_per_row": Double(events.bytes) / rows,
        "mapping_ns": Double(trial.mapping) / rows, "following_ns": Double(trial.following) / rows,
        "published_per_row": Double(trial.published) / rows,
        "published_bytes_per_row": Double(trial.publishedBytes) / rows,
        "index_changes_per_row": Double(trial.changes) / rows,
    ]
    print(String(decoding: try JSONSerialization.data(withJSONObject: figures, options: .sortedKeys), as: UTF8.self))
}
