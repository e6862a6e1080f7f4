import Glibc
import Records

/// Reads an input as a record of each topic. The first byte chooses the key, the rest is the value; it ends where
/// memory ends, so that a read beyond it ends the process.
final class RecordsBody {
    private let reader = RecordReader()
    private let memory = GuardedMemory()

    func run(_ input: UnsafeRawBufferPointer) {
        guard let first = input.first, input.count <= memory.capacity else { return }
        let value = memory.copy(UnsafeRawBufferPointer(rebasing: input[1...]))
        // Most inputs lack a fitting key, so one is given.
        let key =
            first % 4 == 0
            ? nil : first % 4 == 1 ? Self.key : UnsafeRawBufferPointer(rebasing: value.prefix(Int(first)))
        let question = outcome { () throws(RecordError) in _ = try reader.readQuestion(key: key, value: value) }
        _ = outcome { () throws(RecordError) in _ = try reader.readAnswer(key: key, value: value) }
        _ = outcome { () throws(RecordError) in _ = try reader.readVote(key: key, value: value) }
        // The same bytes give the same answer, wherever they lie.
        precondition(
            outcome { () throws(RecordError) in
                _ = try reader.readQuestion(key: key, value: UnsafeRawBufferPointer(rebasing: input[1...]))
            }
                == question, "the answer depends on where the bytes lie")
    }

    private nonisolated(unsafe) static let key: UnsafeRawBufferPointer = {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 2, alignment: 1)
        bytes.copyBytes(from: "q1".utf8)
        return UnsafeRawBufferPointer(bytes)
    }()

    private func outcome(_ read: () throws(RecordError) -> Void) -> RecordErrorCode? {
        do throws(RecordError) {
            try read()
            return nil
        } catch {
            return error.code
        }
    }
}

/// Memory with a page behind it that may not be read.
final class GuardedMemory {
    let capacity = 1 << 20
    private let start: UnsafeMutableRawPointer

    init() {
        let page = Int(getpagesize())
        guard let memory = mmap(nil, capacity + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            memory != MAP_FAILED, mprotect(memory + capacity, page, PROT_NONE) == 0
        else { fatalError("no memory for inputs") }
        start = memory
    }

    /// - Returns: the copy, whose end is the end of readable memory.
    func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let target = start + capacity - bytes.count
        if let source = bytes.baseAddress { target.copyMemory(from: source, byteCount: bytes.count) }
        return UnsafeRawBufferPointer(start: target, count: bytes.count)
    }
}
