import AnswerStore
import Bytes
import Enrichment
import Records
import Workload

/// A workload in memory and a store filled with its tables: the input of every part of the step. Reading these is not
/// part of the measurement.
final class StepFixture {
    /// Keys and values one after the other, as consumed messages would be.
    struct Records {
        private var bytes: [UInt8] = []
        private var spans: [(key: Range<Int>, value: Range<Int>)] = []

        var count: Int { spans.count }

        mutating func append(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
            let start = bytes.count
            bytes.append(contentsOf: key)
            let middle = bytes.count
            bytes.append(contentsOf: value)
            spans.append((start..<middle, middle..<bytes.count))
        }

        /// The calls of a lane to its processor: it announces each event before it comes.
        enum LaneStep {
            /// Others come than were expected.
            case begin
            case expect(Bytes)
            case process(key: Bytes, value: Bytes)
        }

        @inline(__always)
        func eachGathered(ahead: Int, _ body: (LaneStep) throws -> Void) rethrows {
            try bytes.withUnsafeBytes { all in
                var expected = 0
                for index in spans.indices {
                    let batch = index / StepFixture.gathered
                    if index == batch * StepFixture.gathered { try body(.begin) }
                    let end = min(spans.count, (batch + 1) * StepFixture.gathered, index + ahead)
                    while expected < end {
                        try body(.expect(UnsafeRawBufferPointer(rebasing: all[spans[expected].key])))
                        expected += 1
                    }
                    try body(
                        .process(
                            key: UnsafeRawBufferPointer(rebasing: all[spans[index].key]),
                            value: UnsafeRawBufferPointer(rebasing: all[spans[index].value])))
                }
            }
        }

        @inline(__always)
        func each(_ body: (_ key: Bytes, _ value: Bytes) throws -> Void) rethrows {
            try bytes.withUnsafeBytes { all in
                for span in spans {
                    try body(
                        UnsafeRawBufferPointer(rebasing: all[span.key]),
                        UnsafeRawBufferPointer(rebasing: all[span.value]))
                }
            }
        }
    }

    /// Events that a lane gathers before it works on them.
    static let gathered = 2_048
    /// Records in a batch of the tables: more than a worker has in a step of ordinary traffic, fewer than when it
    /// restores a store.
    static let batch = 2_000

    private(set) var questions = Records()
    private(set) var answers = Records()
    private(set) var votes = Records()
    let store: AnswerStore
    let reader = RecordReader()
    /// Looks up and renders every time.
    let processor = EventProcessor()
    /// Has room for all that it rendered.
    let rememberingProcessor = EventProcessor(renderedBytes: 64 << 20)
    let enricher = Enricher()
    let looked = StoredAnswers()
    private let directory: StateDirectory
    private let tableBatch = TableBatch()
    private var applied = TablePositions()
    private let rows = TableBatch()

    /// - Parameter path: of a state directory that is not there yet.
    init(_ plan: WorkloadPlan, path: String) throws {
        let generator = WorkloadGenerator(plan)
        directory = try StateDirectory(path: path)
        store = try directory.openStore(
            partition: 0,
            source: StoreSource(clusterID: "bench", answersTopic: "answers", votesTopic: "votes", partition: 0)
        ).store
        func take(_ topic: WorkloadGenerator.Topic, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
            switch topic {
            case .questions: questions.append(key, value)
            case .answers: answers.append(key, value)
            case .votes: votes.append(key, value)
            }
        }
        generator.tables(take)
        generator.traffic(take)
    }

    deinit { store.close() }

    /// Checks answers and applies them, a batch at a time.
    func apply(answers: Records) throws {
        var count: Int64 = 0
        try answers.each { key, value in
            tableBatch.append(try reader.readAnswer(key: key, value: value), json: value)
            count += 1
            if tableBatch.count == Self.batch { try apply(answers: count, votes: 0) }
        }
        try apply(answers: count, votes: 0)
    }

    /// Checks votes and applies them, a batch at a time.
    func apply(votes: Records) throws {
        var count: Int64 = 0
        try votes.each { key, value in
            tableBatch.append(try reader.readVote(key: key, value: value))
            count += 1
            if tableBatch.count == Self.batch { try apply(answers: 0, votes: count) }
        }
        try apply(answers: 0, votes: count)
    }

    /// The store is to keep an event, as it does where published records follow changes.
    @inline(__always)
    func keep(_ key: Bytes, _ value: Bytes) {
        let offset = applied.questions + Int64(rows.count)
        rows.append(
            question: key,
            StoredQuestion(value: value, headers: Bytes(start: nil, count: 0), timestamp: 0, offset: offset))
    }

    /// Writes the kept events, in a transaction that the store commits by the clock.
    func applyKept() throws {
        guard rows.count > 0 else { return }
        applied.questions += Int64(rows.count)
        try store.apply(rows, positions: applied)
        rows.removeAll()
    }

    private func apply(answers: Int64, votes: Int64) throws {
        guard tableBatch.count > 0 else { return }
        applied.answers = max(applied.answers, answers)
        applied.votes = max(applied.votes, votes)
        try store.apply(tableBatch, positions: applied)
        // The store would commit by the clock, and the pages would be others each time.
        try store.commit()
        tableBatch.removeAll()
    }
}
