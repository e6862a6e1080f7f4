import Foundation
import Records
import Testing

@testable import AnswerStore

/// A data file whose pages are larger than this machine's, as those of a machine with pages of 16 or 64 KiB.
@Suite struct LargePagesTests {
    private static let pageSize = 32_768

    /// LMDB's two meta pages of an empty file (mdb.c: mdb_env_init_meta).
    private static var emptyFile: Data {
        var file = [UInt8](repeating: 0, count: 2 * pageSize)
        file.withUnsafeMutableBytes { bytes in
            for page in 0..<2 {
                let start = page * pageSize
                func put<T: FixedWidthInteger>(_ number: T, _ offset: Int) {
                    bytes.storeBytes(of: number, toByteOffset: start + offset, as: T.self)
                }
                put(UInt64(page), 0)
                put(PageFormat.meta, 10)
                let meta = PageFormat.headerSize
                put(PageFormat.magic, meta)
                put(PageFormat.version, meta + 4)
                put(UInt32(pageSize), meta + 24)
                put(PageFormat.integerKeys, meta + 28)
                put(PageFormat.noPage, meta + 24 + 40)
                put(PageFormat.noPage, meta + 72 + 40)
                put(UInt64(1), meta + 120)
            }
        }
        return Data(file)
    }

    @Test(arguments: [12, 18])
    func aMapThatFillsInASharedTransactionGrows(mebibytes: Int) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try Self.emptyFile.write(to: URL(fileURLWithPath: directory.path + "/data.mdb"))
        let store = try AnswerStore(
            directory: directory.path, source: .test, meta: nil, mapSize: mebibytes << 20, pendingLimit: { 1 << 30 },
            onClose: {})
        #expect(store.withDatabase { $0.environment.pageSize } == Self.pageSize)
        let questions = (0..<2000).map { "question-\($0 * 7919 % 2000)" }
        for round in 0..<3 {
            for start in stride(from: 0, to: questions.count, by: 50) {
                try store.apply(
                    questions[start..<start + 50].map { .answer($0, "a", String(repeating: "\(round)", count: 4000)) },
                    isCommitted: false)
            }
            #expect(try questions.allSatisfy { try store.see($0).first?.json.first == UInt8(0x30 + round) })
            try store.commit()
        }
        store.close()
    }
}
