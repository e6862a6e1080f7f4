import Testing

@testable import Bytes

@Suite struct LineQueueTests {
    /// The lines of `text` that comes in pieces of `size` bytes; a cut one has an ellipsis.
    private func lines(of text: [UInt8], size: Int, queue: LineQueue) -> [String] {
        var lines: [String] = []
        func take(_ line: LineQueue.Line) {
            lines.append(String(decoding: line.text, as: UTF8.self) + (line.isCut ? "..." : ""))
        }
        for start in stride(from: 0, to: text.count, by: size) {
            let piece = text[start..<min(start + size, text.count)]
            if size.isMultiple(of: 2) {
                piece.withUnsafeBytes { queue.append($0) }
            } else {
                queue.room().copyBytes(from: piece)
                queue.filled(piece.count)
            }
            while let line = queue.next() { take(line) }
        }
        if let line = queue.last() { take(line) }
        return lines
    }

    @Test(arguments: [1, 2, 7, 64])
    func linesAreTheSameWhereverThePiecesEnd(size: Int) {
        let text = Array("one\r\ntwo\n\n\r\nthree".utf8)
        #expect(lines(of: text, size: size, queue: LineQueue(piece: 128)) == ["one", "two", "", "", "three"])
    }

    @Test(arguments: [1, 2, 3, 64])
    func aLineLongerThanItMayBeIsCutAndItsRestSkipped(size: Int) {
        let text = Array(String(repeating: "x", count: 300).utf8) + Array("\nnext\n".utf8)
        let cut = String(repeating: "x", count: 20) + "..."
        #expect(lines(of: text, size: size, queue: LineQueue(piece: 128, longest: 20)) == [cut, "next"])
        let last = Array("first\n".utf8) + [UInt8](repeating: 0x78, count: 300)
        #expect(lines(of: last, size: size, queue: LineQueue(piece: 128, longest: 20)) == ["first", cut])
    }

    @Test func longLinesGrowTheMemoryAndKeepTheirBytes() {
        let expected = (0..<50).map { number in
            String(repeating: Character(Unicode.Scalar(UInt8(0x61 + number % 26))), count: number * 7_919 % 5_000)
        }
        let text = Array(expected.joined(separator: "\n").utf8)
        for size in [1_000, 1_001] {
            #expect(lines(of: text, size: size, queue: LineQueue(piece: 4_096)) == expected)
        }
    }

    @Test func theLastLineHasALineFeedInTheSlack() throws {
        let queue = LineQueue(piece: 8, slack: 16)
        Array("12345678".utf8).withUnsafeBytes { queue.append($0) }
        #expect(queue.next().map(\.text.count) == nil)
        let line = try #require(queue.last())
        #expect(line.end.pointee == 0x0A && !line.isTerminated && line.text.count == 8)
    }

    @Test func aStreamThatStartsOverForgetsItsPart() {
        let queue = LineQueue(piece: 128, longest: 4)
        for part in ["abcdefgh", "ij"] { Array(part.utf8).withUnsafeBytes { queue.append($0) } }
        #expect(queue.next()?.isCut == true)
        queue.removeAll()
        Array("k\n".utf8).withUnsafeBytes { queue.append($0) }
        #expect(queue.next().map { String(decoding: $0.text, as: UTF8.self) } == "k")
    }
}
