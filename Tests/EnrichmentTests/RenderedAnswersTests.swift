import AnswerStore
import Bytes
import Enrichment
import Foundation
import Records
import Testing

@Suite struct RenderedAnswersTests {
    /// An outcome as values.
    private enum Seen: Equatable {
        case enriched([UInt8], attached: Int, omitted: Int)
        case deleted
        case refused(RecordErrorCode)
    }

    private static func process(
        _ processor: EventProcessor, _ question: String, _ body: Int, _ store: AnswerStore, limit: Int
    ) throws -> Seen {
        let value = #"{"id":"\#(question)","title":"t","body":"\#(String(repeating: "b", count: body))"}"#
        return try question.withBytes { key in
            try value.withBytes { value in
                switch try processor.process(key: key, value: value, store: store, limit: limit) {
                case .enriched(let bytes, let attached, let omitted):
                    .enriched(Array(bytes), attached: attached, omitted: omitted)
                case .deleted: .deleted
                case .refused(let error): .refused(error.code)
                }
            }
        }
    }

    /// A record of one of the tables: key, and value or null.
    private static func change(using generator: inout SeededGenerator) -> (Table, key: String, value: String?) {
        let question = "q\(Int.random(in: 0..<40, using: &generator))"
        let answer = "a\(Int.random(in: 0..<4, using: &generator))"
        let ids = #""questionId":"\#(question)""#
        switch Int.random(in: 0..<20, using: &generator) {
        case 0: return (.answers, question, nil)
        case 1: return (.votes, question, nil)
        case 2: return (.answers, question, #"{"id":"\#(answer)",\#(ids),"withdrawn":true}"#)
        case 3..<10:
            let text = String(repeating: "x", count: .random(in: 0..<3000, using: &generator))
            return (.answers, question, #"{"id":"\#(answer)",\#(ids),"title":"\#(text)"}"#)
        default:
            let value = Int.random(in: -1...1, using: &generator)
            let voter = #""answerId":"\#(answer)","voterId":"v\#(Int.random(in: 0..<5, using: &generator))""#
            return (
                .votes, question, #"{\#(ids),\#(voter),"value":\#(value),"castAt":"2026-01-01T00:00:00Z"}"#
            )
        }
    }

    /// The key of an event that is said to come, or none.
    private static func expected(from ids: [Bytes], using generator: inout SeededGenerator) -> Bytes? {
        Int.random(in: 0..<4, using: &generator) == 0 ? nil : ids.randomElement(using: &generator)
    }

    /// The output is the same with and without memory for rendered answers, after any changes in between.
    @Test(arguments: 0..<16)
    func keptAnswersAreThoseOfTheStore(seed: UInt64) throws {
        var generator = SeededGenerator(seed)
        let path = NSTemporaryDirectory() + "rejoinder-rendered-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let state = try StateDirectory(path: path)
        func open(_ partition: Int32) throws -> AnswerStore {
            let source = StoreSource(clusterID: "c", answersTopic: "a", votesTopic: "v", partition: partition)
            return try state.openStore(partition: partition, source: source).store
        }
        // Two stores hold different answers to questions of the same ids.
        var stores = [try open(0), try open(1)]
        // From a ring that is overwritten all the time to one that holds everything.
        let room = [1 << 16, 1 << 18, 8 << 20].randomElement(using: &generator) ?? 0
        let (keeping, plain) = (EventProcessor(renderedBytes: room), EventProcessor())
        let (reader, batch) = (TableReader(), TableBatch())
        let ids = (0..<60).map { number in
            let id = UnsafeMutableRawBufferPointer.allocate(byteCount: 3, alignment: 1)
            id.copyBytes(from: "q\(number)  ".utf8.prefix(3))
            return Bytes(rebasing: id[..<"q\(number)".utf8.count])
        }
        defer { for id in ids { id.deallocate() } }
        for _ in 0..<60 {
            let number = Int.random(in: 0...1, using: &generator)
            let store = stores[number]
            var kept: [[UInt8]] = []
            for _ in 0..<Int.random(in: 0..<12, using: &generator) {
                let (table, key, value) = Self.change(using: &generator)
                kept.append(Array((value ?? "").utf8))
                try key.withBytes { key in
                    try kept[kept.count - 1].withUnsafeBytes { bytes in
                        try reader.read(table, key: key, value: value == nil ? nil : bytes, into: batch)
                        var positions = store.positions
                        positions.answers += 1
                        try store.apply(batch, positions: positions)
                        batch.removeAll()
                    }
                }
            }
            switch Int.random(in: 0..<12, using: &generator) {
            case 0: try store.commit()
            case 1: try store.reset()
            case 2:
                store.close()
                stores[number] = try open(Int32(number))
            default: break
            }
            for _ in 0..<40 {
                let question = "q\(Int.random(in: 0..<40, using: &generator))"
                let body = Int.random(in: 0..<200, using: &generator)
                let limit =
                    Int.random(in: 0..<4, using: &generator) == 0 ? Int.random(in: 50..<9000, using: &generator) : .max
                let store = stores[Int.random(in: 0...1, using: &generator)]
                // Announced questions that come, and others that do not: it must not matter.
                if Int.random(in: 0..<30, using: &generator) == 0 { keeping.expectNothing() }
                for _ in 0..<Int.random(in: 0..<3, using: &generator) {
                    keeping.expect(Self.expected(from: ids, using: &generator), store: store)
                }
                let expected = try Self.process(plain, question, body, store, limit: limit)
                let seen = try Self.process(keeping, question, body, store, limit: limit)
                try #require(seen == expected, "\(question)")
            }
        }
        for store in stores { store.close() }
    }
}
