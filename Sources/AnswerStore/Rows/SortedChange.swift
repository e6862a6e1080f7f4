import Bytes

/// A table change in the sorter while a store's first changes are sorted (`StoreLoad`): the key, two numbers, then the
/// answer's JSON or the voter's id. The tag is the kind and the key's length.
enum SortedChange {
    private enum Kind: UInt8 {
        case put, putWithInstant, withdraw, forgetAnswers
        case cast, counted, forgetVotes
        case question, refusedQuestion, forgetQuestion
    }

    /// The part between the key and the rest.
    private struct Numbers {
        /// The vote, a question's offset, or the seconds of an answer's instant.
        var number: Int64
        var attoseconds: UInt64
    }

    /// A change's item: its sort key is the key's beginning, the question id's length and the id.
    private static func append(
        _ kind: Kind, _ key: Bytes, _ rest: Bytes, number: Int64, attoseconds: UInt64, to sorter: ExternalSorter
    ) throws(SortFailure) {
        let numbers = key.count + MemoryLayout<Numbers>.size
        try sorter.append(
            keyCount: 1 + Int(key[0]), contents: numbers + rest.count,
            tag: UInt32(kind.rawValue) | UInt32(truncatingIfNeeded: key.count) << 8
        ) { contents in
            contents.copyMemory(from: key)
            contents.storeBytes(
                of: Numbers(number: number, attoseconds: attoseconds), toByteOffset: key.count, as: Numbers.self)
            UnsafeMutableRawBufferPointer(rebasing: contents[numbers...]).copyMemory(from: rest)
        }
    }

    static func append(
        _ change: TableBatch.AnswerChange, key: Bytes, to sorter: ExternalSorter
    ) throws(SortFailure) {
        let kind: Kind =
            switch change.kind {
            case .put: change.answeredAt == nil ? .put : .putWithInstant
            case .withdraw: .withdraw
            case .forgetAll: .forgetAnswers
            }
        try append(
            kind, key, change.json, number: change.answeredAt?.seconds ?? 0,
            attoseconds: change.answeredAt?.attoseconds ?? 0, to: sorter)
    }

    static func append(
        _ change: TableBatch.VoteChange, key: Bytes, voter: Bytes, to sorter: ExternalSorter
    ) throws(SortFailure) {
        let kind: Kind =
            switch change.kind {
            case .cast: .cast
            case .counted: .counted
            case .forgetAll: .forgetVotes
            }
        try append(kind, key, voter, number: change.value, attoseconds: 0, to: sorter)
    }

    /// The size of the block before a question's headers and value: timestamp, whether it is set, and the headers'
    /// length.
    private static let questionHead = 16

    /// - Parameter scratch: memory for joining headers and value.
    static func append(
        _ question: StoredQuestion?, key: Bytes, scratch: inout GrowingBuffer<UInt8>, to sorter: ExternalSorter
    ) throws(SortFailure) {
        guard let question else {
            return try append(.forgetQuestion, key, Bytes(start: nil, count: 0), number: 0, attoseconds: 0, to: sorter)
        }
        scratch.removeAll()
        scratch.append(number: question.timestamp ?? 0)
        scratch.append(number: UInt32(question.timestamp == nil ? 0 : 1))
        scratch.append(number: UInt32(truncatingIfNeeded: question.headers.count))
        scratch.append(contentsOf: question.headers)
        scratch.append(contentsOf: question.value)
        try append(
            question.isRefused ? .refusedQuestion : .question, key, scratch.bytes, number: question.offset,
            attoseconds: 0, to: sorter)
    }

    /// - Parameter rest: the bytes after the numbers.
    private static func question(_ rest: Bytes, offset: Int64, isRefused: Bool) -> StoredQuestion {
        let headers = Int(rest.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        let hasTimestamp = rest.loadUnaligned(fromByteOffset: 8, as: UInt32.self) != 0
        let value = questionHead + headers
        return StoredQuestion(
            value: rest.piece(value, rest.count - value), headers: rest.piece(questionHead, headers),
            timestamp: hasTimestamp ? rest.loadUnaligned(as: Int64.self) : nil, offset: offset, isRefused: isRefused)
    }

    /// Adds an item's change to a batch.
    /// - Parameter keep: copies JSON to memory that stays valid until the batch has been applied.
    static func add(_ item: SortItem, to batch: TableBatch, keep: (Bytes) -> Bytes) {
        let contents = item.contents
        let key = contents.piece(0, Int(item.tag >> 8))
        let numbers = contents.loadUnaligned(fromByteOffset: key.count, as: Numbers.self)
        let place = key.count + MemoryLayout<Numbers>.size
        let rest = contents.piece(place, contents.count - place)
        let kind = Kind(rawValue: UInt8(truncatingIfNeeded: item.tag))
        switch kind {
        case .put: batch.append(.put, key: key, json: keep(rest))
        case .putWithInstant:
            let instant = Instant(seconds: numbers.number, attoseconds: numbers.attoseconds)
            batch.append(.put, key: key, json: keep(rest), answeredAt: instant)
        case .withdraw: batch.append(.withdraw, key: key)
        case .forgetAnswers: batch.append(.forgetAll, key: key)
        case .cast: batch.append(.cast, key: key, voter: rest, numbers.number)
        case .counted: batch.append(.counted, key: key, voter: rest, numbers.number)
        case .forgetVotes: batch.append(.forgetAll, key: key, voter: rest, numbers.number)
        case .question, .refusedQuestion:
            batch.append(
                questionKey: key, question(keep(rest), offset: numbers.number, isRefused: kind == .refusedQuestion))
        case .forgetQuestion: batch.append(questionKey: key, nil)
        case nil: break
        }
    }
}
