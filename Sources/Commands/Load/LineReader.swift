import Bytes

/// Reads a file line by line, up to a limit a line. Holds one line and one piece of the file at a time.
final class LineReader {
    enum Line {
        /// Without its line end. Valid until the next call.
        case line(Bytes, number: Int)
        /// Longer than the limit; its bytes were skipped.
        case tooLong(number: Int)
        case end
    }

    private let descriptor: Int32
    private let limit: Int
    private let lines: LineQueue
    private var number = 0
    private var taken = 0

    /// Bytes of the file that were handed out or skipped.
    var bytesRead: Int { taken - lines.waiting }

    /// - Parameter descriptor: open for reading, at the place to start from; the caller owns it.
    init(descriptor: Int32, limit: Int) {
        self.descriptor = descriptor
        self.limit = limit
        // One byte more may be a carriage return.
        lines = LineQueue(longest: limit + 1)
    }

    /// - Throws: ``CommandFailure`` when a read fails.
    func next() throws(CommandFailure) -> Line {
        number += 1
        while true {
            if let line = lines.next() { return finish(line) }
            guard try fill() else { return lines.last().map(finish) ?? .end }
        }
    }

    private func finish(_ line: LineQueue.Line) -> Line {
        line.isCut || line.text.count > limit ? .tooLong(number: number) : .line(line.text, number: number)
    }

    /// - Returns: false at the file's end.
    private func fill() throws(CommandFailure) -> Bool {
        do throws(SystemFailure) {
            let count = try Descriptor.readSome(descriptor, into: lines.room())
            lines.filled(count)
            taken += count
            return count > 0
        } catch {
            throw CommandFailure(.badData, "reading the file failed: \(error.text)")
        }
    }
}
