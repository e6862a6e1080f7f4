import Bytes

/// A table change in memory and in the spill file while a store's first changes are sorted (`StoreLoad`): a header, the
/// key, then the answer's JSON or the voter's id. Numbers are in native byte order: only this process reads them.
enum ChangeFrame {
    private enum Kind: UInt8 {
        case put, putWithInstant, withdraw, forgetAnswers
        case cast, counted, forgetVotes
        case question, refusedQuestion, forgetQuestion
    }

    private struct Head {
        /// The whole frame's size in bytes.
        var size: UInt32
        /// The checksum of the bytes after this field.
        var checksum: UInt32 = 0
        /// The number of zero bytes at the frame's end, so that the next frame begins at a multiple of 8.
        var padding: UInt8
        var kind: Kind.RawValue
        var keyLength: UInt16
        var unused: UInt32 = 0
        /// The vote, a question's offset, or the seconds of an answer's instant.
        var number: Int64
        var attoseconds: UInt64
    }

    static let head = MemoryLayout<Head>.size
    private static let firstChecked = 8

    /// The frame's size, read from its header; not yet verified.
    @inline(__always)
    static func size(at frame: UnsafeRawPointer) -> Int { Int(frame.load(as: UInt32.self)) }

    /// The beginning of the key: the question id's length and the id.
    @inline(__always)
    static func question(at frame: UnsafeRawPointer) -> Bytes {
        let key = frame + head
        return Bytes(start: key, count: 1 + Int(key.load(as: UInt8.self)))
    }

    static func size(of change: TableBatch.AnswerChange) -> Int { padded(head + change.keyLength + change.json.count) }

    static func size(of change: TableBatch.VoteChange) -> Int { padded(head + change.keyLength + change.voterLength) }

    static func append(_ change: TableBatch.AnswerChange, key: Bytes, to buffer: inout GrowingBuffer<UInt8>) {
        let kind: Kind =
            switch change.kind {
            case .put: change.answeredAt == nil ? .put : .putWithInstant
            case .withdraw: .withdraw
            case .forgetAll: .forgetAnswers
            }
        append(
            kind, key, change.json, number: change.answeredAt?.seconds ?? 0,
            attoseconds: change.answeredAt?.attoseconds ?? 0, to: &buffer)
    }

    static func append(
        _ change: TableBatch.VoteChange, key: Bytes, voter: Bytes, to buffer: inout GrowingBuffer<UInt8>
    ) {
        let kind: Kind =
            switch change.kind {
            case .cast: .cast
            case .counted: .counted
            case .forgetAll: .forgetVotes
            }
        append(kind, key, voter, number: change.value, attoseconds: 0, to: &buffer)
    }

    static func size(of change: TableBatch.QuestionChange) -> Int {
        let rest = change.event.map { questionHead + change.headersLength + $0.value.count } ?? 0
        return padded(head + change.keyLength + rest)
    }

    /// The size of the block before a question's headers and value: timestamp, whether it is set, and the headers'
    /// length.
    private static let questionHead = 16

    /// - Parameter scratch: memory for joining headers and value.
    static func append(
        _ question: StoredQuestion?, key: Bytes, scratch: inout GrowingBuffer<UInt8>,
        to buffer: inout GrowingBuffer<UInt8>
    ) {
        guard let question else {
            return append(.forgetQuestion, key, Bytes(start: nil, count: 0), number: 0, attoseconds: 0, to: &buffer)
        }
        scratch.removeAll()
        scratch.append(number: question.timestamp ?? 0)
        scratch.append(number: UInt32(question.timestamp == nil ? 0 : 1))
        scratch.append(number: UInt32(truncatingIfNeeded: question.headers.count))
        scratch.append(contentsOf: question.headers)
        scratch.append(contentsOf: question.value)
        append(
            question.isRefused ? .refusedQuestion : .question, key, scratch.bytes, number: question.offset,
            attoseconds: 0, to: &buffer)
    }

    /// - Parameter rest: the bytes after the frame's key.
    private static func question(_ rest: Bytes, offset: Int64, isRefused: Bool) -> StoredQuestion {
        let headers = Int(rest.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        let hasTimestamp = rest.loadUnaligned(fromByteOffset: 8, as: UInt32.self) != 0
        let value = questionHead + headers
        return StoredQuestion(
            value: rest.piece(value, rest.count - value), headers: rest.piece(questionHead, headers),
            timestamp: hasTimestamp ? rest.loadUnaligned(as: Int64.self) : nil, offset: offset, isRefused: isRefused)
    }

    @inline(__always)
    private static func append(
        _ kind: Kind, _ key: Bytes, _ rest: Bytes, number: Int64, attoseconds: UInt64,
        to buffer: inout GrowingBuffer<UInt8>
    ) {
        let length = head + key.count + rest.count
        let size = padded(length)
        buffer.reserve(size)
        let start = buffer.count
        buffer.append(
            bytesOf: Head(
                size: UInt32(truncatingIfNeeded: size), padding: UInt8(truncatingIfNeeded: size - length),
                kind: kind.rawValue, keyLength: UInt16(truncatingIfNeeded: key.count), number: number,
                attoseconds: attoseconds))
        buffer.append(contentsOf: key)
        buffer.append(contentsOf: rest)
        for _ in length..<size { buffer.append(0) }
        let frame = UnsafeMutableRawBufferPointer(rebasing: buffer.mutableBytes[start...])
        frame.storeBytes(of: checksum(of: Bytes(frame)), toByteOffset: 4, as: UInt32.self)
    }

    private static func padded(_ size: Int) -> Int { (size + 7) & ~7 }

    private static func checksum(of frame: Bytes) -> UInt32 {
        UInt32(truncatingIfNeeded: RowChecksum.hash(frame.piece(firstChecked, frame.count - firstChecked)))
    }

    /// Whether the frame is as it was written.
    static func isIntact(_ frame: Bytes) -> Bool {
        guard frame.count > head else { return false }
        let head = frame.loadUnaligned(as: Head.self)
        return head.checksum == checksum(of: frame) && Kind(rawValue: head.kind) != nil
    }

    /// Adds the frame's change to a batch. The frame must be intact.
    /// - Parameter keep: copies JSON to memory that stays valid until the batch has been applied.
    static func add(_ frame: Bytes, to batch: TableBatch, keep: (Bytes) -> Bytes) {
        let head = frame.loadUnaligned(as: Head.self)
        let key = frame.piece(Self.head, Int(head.keyLength))
        let place = Self.head + key.count
        let rest = frame.piece(place, frame.count - place - Int(head.padding))
        switch Kind(rawValue: head.kind) {
        case .put: batch.append(.put, key: key, json: keep(rest))
        case .putWithInstant:
            let instant = Instant(seconds: head.number, attoseconds: head.attoseconds)
            batch.append(.put, key: key, json: keep(rest), answeredAt: instant)
        case .withdraw: batch.append(.withdraw, key: key)
        case .forgetAnswers: batch.append(.forgetAll, key: key)
        case .cast: batch.append(.cast, key: key, voter: rest, head.number)
        case .counted: batch.append(.counted, key: key, voter: rest, head.number)
        case .forgetVotes: batch.append(.forgetAll, key: key, voter: rest, head.number)
        case .question, .refusedQuestion:
            batch.append(
                questionKey: key,
                question(keep(rest), offset: head.number, isRefused: head.kind == Kind.refusedQuestion.rawValue))
        case .forgetQuestion: batch.append(questionKey: key, nil)
        case nil: break
        }
    }
}
