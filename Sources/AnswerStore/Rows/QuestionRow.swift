import Bytes

/// `questions`: key = length of the question id, question id. Value = checksum, flags, offset, timestamp, reserved
/// block (last publication), length of the headers, packed headers, the event's value.
///
/// A row is a question's latest valid event; a deleted question has none.
enum QuestionRow {
    static let headerLength = 4 + 4 + 8 + 8 + 4 * 8 + 4 + 4
    private static let headersOffset = headerLength - 8
    private static let hasTimestamp: UInt32 = 1
    private static let isRefused: UInt32 = 2

    static func write(_ question: StoredQuestion, key: Bytes, to row: UnsafeMutableRawBufferPointer) {
        var flags: UInt32 = question.timestamp == nil ? 0 : hasTimestamp
        if question.isRefused { flags |= isRefused }
        row.storeBytes(of: flags, toByteOffset: 4, as: UInt32.self)
        row.storeBytes(of: question.offset, toByteOffset: 8, as: Int64.self)
        row.storeBytes(of: question.timestamp ?? 0, toByteOffset: 16, as: Int64.self)
        for place in 0..<4 { row.storeBytes(of: 0, toByteOffset: 24 + 8 * place, as: UInt64.self) }
        row.storeBytes(of: UInt32(question.headers.count), toByteOffset: headersOffset, as: UInt32.self)
        row.storeBytes(of: 0, toByteOffset: headersOffset + 4, as: UInt32.self)
        UnsafeMutableRawBufferPointer(rebasing: row[headerLength...]).copyMemory(from: question.headers)
        UnsafeMutableRawBufferPointer(rebasing: row[(headerLength + question.headers.count)...])
            .copyMemory(from: question.value)
        sealRow(row, key: key)
    }

    static func length(of question: StoredQuestion) -> Int {
        headerLength + question.headers.count + question.value.count
    }

    /// Nil when the row is too short to be valid.
    static func read(_ row: Bytes) -> StoredQuestion? {
        guard row.count >= headerLength else { return nil }
        let flags = row.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        let headers = Int(row.loadUnaligned(fromByteOffset: headersOffset, as: UInt32.self))
        guard headers <= row.count - headerLength else { return nil }
        return StoredQuestion(
            value: Bytes(rebasing: row[(headerLength + headers)...]), headers: row.piece(headerLength, headers),
            timestamp: flags & hasTimestamp == 0 ? nil : row.loadUnaligned(fromByteOffset: 16, as: Int64.self),
            offset: row.loadUnaligned(fromByteOffset: 8, as: Int64.self), isRefused: flags & isRefused != 0)
    }
}

/// A question's latest event as stored. The bytes belong to the store, or to the caller that fills the batch.
package struct StoredQuestion {
    /// The event's value, byte for byte.
    package var value: Bytes
    /// The event's headers as given to the store; empty: none.
    package var headers: Bytes
    /// Milliseconds since 1970; nil if the record has none.
    package var timestamp: Int64?
    /// The event's offset in the questions topic.
    package var offset: Int64
    /// The event, or a later change, made the record too large, and a dead letter was published.
    package var isRefused: Bool

    /// - Parameters:
    ///   - headers: opaque to the store; empty: none.
    ///   - timestamp: milliseconds since 1970.
    package init(value: Bytes, headers: Bytes, timestamp: Int64?, offset: Int64, isRefused: Bool = false) {
        self.value = value
        self.headers = headers
        self.timestamp = timestamp
        self.offset = offset
        self.isRefused = isRefused
    }
}
