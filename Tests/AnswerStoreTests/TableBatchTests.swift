import Bytes
import Records
import Testing

@testable import AnswerStore

@Suite struct TableBatchTests {
    @Test func manyChangesOfFewPagesDoNotFillAStore() throws {
        try withStore { store in
            let (batch, ink) = (TableBatch(), Ink())
            let (question, answer) = (ink("q1"), ink("a1"))
            #expect(!store.isFilled(by: batch))
            for voter in 0..<30_000 {
                batch.append(
                    VoteRecord.cast(questionID: question, answerID: answer, voterID: ink("v\(voter)"), value: 1))
            }
            #expect(!store.isFilled(by: batch))
        }
    }

    @Test func changesThatTakeManyPagesFillAStore() throws {
        try withStore { store in
            let (batch, ink) = (TableBatch(), Ink())
            let json = ink(String(repeating: "x", count: 4096))
            while !store.isFilled(by: batch), batch.count < 10_000 { batch.append("q", "a\(batch.count)", json, ink) }
            #expect((1000..<10_000).contains(batch.count))
        }
    }

    /// A batch that gave its memory back is empty and can be used on.
    @Test func canBeUsedOnAfterGivingMemoryBack() throws {
        try withStore { store in
            let (batch, ink) = (TableBatch(), Ink())
            for round in 1...3 {
                for index in 0..<1000 * round { batch.append("q\(index % 7)", "a\(index)", ink("{}"), ink) }
                try store.apply(batch, positions: TablePositions(answers: Int64(1000 * round), votes: 0))
                batch.removeAll(keepingRoomFor: 16)
                #expect(batch.count == 0)
                #expect(batch.byteCount == 0)
                #expect(store.usage.answerRows == 1000 * round)
            }
        }
    }

    private func withStore(_ body: (AnswerStore) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let store = try StateDirectory(path: directory.path).openStore(partition: 0, source: .test).store
        defer { store.close() }
        try body(store)
    }
}

@Suite struct TallyRowEditorTests {
    /// A row that is cut short must not be taken for a shorter row.
    @Test(arguments: 1...40)
    func tellsARowThatIsCutShort(cut: Int) {
        let row = Self.row(["a", "bb", "ccc"])
        defer { row.free() }
        guard cut < row.count - TallyRow.headerLength else { return }
        var short = GrowingBuffer<UInt8>()
        short.append(contentsOf: Bytes(rebasing: row.bytes[..<(row.count - cut)]))
        var editor = TallyRow.Editor(short)
        let id: [UInt8] = [0x62]
        id.withUnsafeBytes { _ = editor.entry(of: $0) }
        #expect(!editor.isWhole)
        short = editor.row
        short.free()
    }

    @Test func keepsAnswersInTheOrderOfTheirIDs() {
        let row = Self.row(["b", "a", "c"])
        defer { row.free() }
        var cursor = TallyRow.Cursor(row.bytes)
        var found: [String] = []
        while let entry = cursor.entry {
            found.append("\(String(decoding: entry.answerID, as: UTF8.self))\(entry.number)=\(entry.voteCount)")
            cursor.advance(past: entry)
        }
        #expect(found == ["a1=11", "b0=10", "c2=12"])
        #expect(cursor.rest.isEmpty)
    }

    /// A row that got its answers one after the other, in transactions of their own.
    private static func row(_ ids: [String]) -> GrowingBuffer<UInt8> {
        var row = GrowingBuffer<UInt8>()
        for id in ids {
            var editor = TallyRow.Editor(row)
            Array(id.utf8).withUnsafeBytes {
                var entry = editor.entry(of: $0)
                entry.voteCount = 10 + Int64(entry.number)
                editor.set(entry)
                _ = editor.seal(key: $0)
            }
            #expect(editor.isWhole)
            #expect(editor.isChanged)
            row = editor.row
        }
        return row
    }
}

extension TableBatch {
    fileprivate func append(_ question: String, _ answer: String, _ json: Bytes, _ ink: Ink) {
        append(AnswerRecord.answer(questionID: ink(question), answerID: ink(answer), answeredAt: nil), json: json)
    }
}
