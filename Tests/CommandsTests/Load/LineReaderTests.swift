import Foundation
import Testing

@testable import Commands

@Suite struct LineReaderTests {
    /// Lines as text, "number too long" for the long ones.
    private func lines(_ data: Data, limit: Int) throws -> [String] {
        let directory = try TemporaryDirectory()
        let source = try LoadSource(path: try directory.file("lines", data))
        let reader = try source.reader(limit: limit)
        var result: [String] = []
        while true {
            switch try reader.next() {
            case .line(let bytes, let number): result.append("\(number) \(String(decoding: bytes, as: UTF8.self))")
            case .tooLong(let number): result.append("\(number) too long")
            case .end:
                #expect(reader.bytesRead == data.count)
                return result
            }
        }
    }

    @Test(arguments: [
        ("", []), ("\n", ["1 "]), ("a", ["1 a"]), ("a\n", ["1 a"]), ("a\nb", ["1 a", "2 b"]),
        ("\n\na\n\n", ["1 ", "2 ", "3 a", "4 "]), ("a\r\nb\r\n", ["1 a", "2 b"]), ("a\rb\n", ["1 a\rb"]),
        ("12345\n123456\n1\n", ["1 12345", "2 too long", "3 1"]), ("12345\r\n123456\r\n", ["1 12345", "2 too long"]),
        ("12345", ["1 12345"]), ("123456", ["1 too long"]), ("1234567890", ["1 too long"]),
    ])
    func smallFiles(text: String, expected: [String]) throws {
        #expect(try lines(Data(text.utf8), limit: 5) == expected)
    }

    @Test func linesAroundThePiecesThatAreRead() throws {
        let piece = 1 << 18
        var data = Data()
        var lengths: [Int] = []
        for length in [piece - 1, piece, piece + 1, 0, 3 * piece + 7, 1, 2 * piece - 1, 1_000_000] {
            data.append(Data(repeating: UInt8(ascii: "x"), count: length))
            data.append(UInt8(ascii: "\n"))
            lengths.append(length)
        }
        let whole = try lines(data, limit: 4 * piece).map { $0.count - 2 }
        #expect(whole == lengths)
        let cut = try lines(data, limit: piece)
        #expect(cut.map { $0.hasSuffix("too long") } == lengths.map { $0 > piece })
    }

    @Test func aPipeIsReadTwice() throws {
        let pipe = Pipe()
        pipe.fileHandleForWriting.write(Data("one\ntwo\n".utf8))
        try pipe.fileHandleForWriting.close()
        let source = try LoadSource(path: "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)")
        #expect(source.size == 8)
        for _ in 0..<2 {
            let reader = try source.reader(limit: 10)
            guard case .line(let bytes, 1) = try reader.next() else { throw Unexpected() }
            #expect(String(decoding: bytes, as: UTF8.self) == "one")
        }
    }

    @Test func whatIsNoFile() throws {
        let directory = try TemporaryDirectory()
        #expect { try LoadSource(path: directory.path + "/none") } throws: {
            ($0 as? CommandFailure)?.status == .usage && "\($0)".contains("No such file")
        }
        #expect { try LoadSource(path: directory.path) } throws: { ($0 as? CommandFailure)?.status == .usage }
    }

    private struct Unexpected: Error {}
}
