import Foundation
import Testing

@testable import AnswerStore

@Suite("What a worker notes of its group's committed offsets")
struct CommittedMarkTests {
    private func withDirectory(_ body: (StateDirectory) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("rejoinder-\(UUID().uuidString)").path
        let directory = try StateDirectory(path: path)
        defer {
            directory.unlock()
            try? FileManager.default.removeItem(atPath: path)
        }
        try body(directory)
    }

    private func mark(_ offsets: [Int64?], group: String = "g") -> CommittedMark {
        CommittedMark(clusterID: "c", group: group, topics: ["questions", "answers", "votes"], offsets: offsets)
    }

    @Test("what was noted is read, and noted over whatever its length")
    func roundTrip() throws {
        try withDirectory { directory in
            #expect(directory.committedMark(of: 3) == nil)
            for mark in [
                mark([.max, 0, nil], group: String(repeating: "long", count: 50)), mark([7, nil, nil]),
                mark([0, 1, 2]),
            ] {
                try directory.note(mark, of: 3)
                #expect(directory.committedMark(of: 3) == mark)
            }
            #expect(directory.committedMark(of: 4) == nil)
        }
    }

    @Test("a rebuilt store does not take the note with it")
    func survivesTheStore() throws {
        try withDirectory { directory in
            func open(_ topic: String) throws {
                try directory.openStore(
                    partition: 0,
                    source: StoreSource(clusterID: "c", answersTopic: topic, votesTopic: "v", partition: 0)
                ).store.close()
            }
            try open("a")
            try directory.note(mark([5, 6, 7]), of: 0)
            try open("another")
            #expect(directory.committedMark(of: 0) == mark([5, 6, 7]))
        }
    }

    @Test("no damaged note is believed")
    func damage() {
        let whole = mark([12, 3, nil]).bytes
        #expect(CommittedMark(whole) == mark([12, 3, nil]))
        for length in 0..<whole.count { #expect(CommittedMark(Array(whole.prefix(length))) == nil, "\(length)") }
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= 1
            #expect(CommittedMark(bytes) == nil, "byte \(place)")
        }
    }
}
