import Glibc
import Records

@testable import AnswerStore

/// Opens a store whose files are damaged: pieces of the input are written over those of a store that was closed in good
/// order. It has to be resumed or rebuilt, never to end the process, and to be of use after.
///
/// The input is a row of changes: two bytes for the file and the place (of 256 of the file's length), one for the
/// length, then the bytes that are written there.
final class StoresBody {
    private let path: String
    private let source = StoreSource(clusterID: "c", answersTopic: "a", votesTopic: "v", partition: 0)
    private var data: [UInt8] = []
    private var seal: [UInt8] = []
    private let reader = RecordReader()

    init() {
        path = "/tmp/rejoinder-fuzz-\(getpid())"
        do {
            try withDirectory { directory in
                let store = try directory.openStore(partition: 0, source: source, mapSize: 1 << 20).store
                let changes = TableBatch()
                for number in 0..<60 {
                    let question = "q\(number % 7)"
                    try add("a\(number)", to: question, changes)
                }
                try store.apply(changes, positions: TablePositions(answers: 60, votes: 0))
                store.close()
            }
            data = try FileSystem.read(file("data.mdb"), limit: 1 << 22)
            seal = try FileSystem.read(file("seal"), limit: 1 << 12)
        } catch {
            fatalError("no store to begin with: \(error)")
        }
    }

    private func file(_ name: String) -> String { "\(path)/partitions/0/\(name)" }

    private func withDirectory(_ body: (StateDirectory) throws -> Void) throws {
        let directory = try StateDirectory(path: path)
        defer { directory.unlock() }
        try body(directory)
    }

    /// Values are kept by address until they are applied.
    private func add(_ answer: String, to question: String, _ changes: TableBatch) throws {
        let value = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
        let text = Array(#"{"id":"\#(answer)","questionId":"\#(question)"}"#.utf8)
        value.copyBytes(from: text)
        let key = Array(question.utf8)
        try key.withUnsafeBytes { key in
            let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(value)[..<text.count])
            changes.append(try reader.readAnswer(key: key, value: bytes), json: bytes)
        }
    }

    func run(_ input: UnsafeRawBufferPointer) {
        var (data, seal) = (data, seal)
        var rest = input[...]
        while rest.count >= 4 {
            let isSeal = rest[rest.startIndex] & 15 == 15
            let part = (Int(rest[rest.startIndex]) >> 4) << 8 | Int(rest[rest.startIndex + 1])
            let length = min(Int(rest[rest.startIndex + 2]), rest.count - 3)
            let bytes = rest.dropFirst(3).prefix(length)
            let count = isSeal ? seal.count : data.count
            let place = part * count / 4096
            for (index, byte) in bytes.enumerated() where place + index < count {
                if isSeal { seal[place + index] = byte } else { data[place + index] = byte }
            }
            rest = rest.dropFirst(3 + length)
        }
        do {
            try FileSystem.remove("\(path)/partitions/0")
            try FileSystem.makeDirectories("\(path)/partitions/0")
            try FileSystem.overwrite(file("data.mdb"), with: data, isSynced: false)
            try FileSystem.overwrite(file("seal"), with: seal, isSynced: false)
            try withDirectory { directory in
                let opened = try directory.openStore(partition: 0, source: source, mapSize: 1 << 20)
                try opened.store.apply(TableBatch(), positions: TablePositions(answers: 99, votes: 99))
                opened.store.close()
            }
        } catch {
            preconditionFailure("a damaged store is an error: \(error)")
        }
    }
}
