import Foundation
import Testing

@testable import Sources

@Suite struct DumpFileTests {
    private func file(_ text: String) throws -> String {
        let path = NSTemporaryDirectory() + "rejoinder-dump-\(UUID().uuidString).xml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test func rowsOneByOne() throws {
        let path = try file(
            "<?xml version=\"1.0\"?>\n<posts>\n  <row Id=\"1\" Title=\"a &lt;b&gt; &#233;\" />\n  "
                + "<row Id=\"2\" />\n</posts>"
        )
        defer { try? FileManager.default.removeItem(atPath: path) }
        let dump = try DumpFile(path: path)
        let first = try #require(try dump.next())
        #expect(first.id == Array("1".utf8))
        #expect(String(decoding: first.row, as: UTF8.self) == #"{"Id":"1","Title":"a <b> é"}"#)
        #expect(try dump.next()?.id == Array("2".utf8))
        #expect(try dump.next() == nil)
        #expect(dump.bytesRead == dump.size)
    }

    /// A directory can be opened and not be read, as a file on a failing disk.
    @Test func aFileThatCannotBeReadDoesNotLookLikeItsEnd() throws {
        let dump = try DumpFile(path: NSTemporaryDirectory())
        let failure = #expect(throws: SourceFailure.self) { try dump.next() }
        #expect("\(failure.map { "\($0)" } ?? "")".contains("beyond byte 0"))
    }

    @Test func aCutRowNamesItsLine() throws {
        let path = try file("<posts>\n<row Id=\"1\" Title=\"no end")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let failure = #expect(throws: SourceFailure.self) { try DumpFile(path: path).next() }
        #expect("\(failure.map { "\($0)" } ?? "")".contains("line 2"))
    }
}
