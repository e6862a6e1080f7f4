import Bytes

/// The one row of `meta`: the store's identity and positions.
///
/// It contains the number of the LMDB transaction that wrote it, and every transaction writes it. So its checksum also
/// validates LMDB's own meta page, which has none.
struct StoreMeta: Equatable {
    static let key = "store"

    var layout: UInt32 = StoreLayout.version
    var transactionID: UInt64
    var positions: TablePositions
    var source: StoreSource

    /// The row as it is stored under `key`.
    func encoded() -> [UInt8] {
        var row: [UInt8] = [0, 0, 0, 0]
        func append(_ number: some FixedWidthInteger) {
            withUnsafeBytes(of: number.littleEndian) { row.append(contentsOf: $0) }
        }
        append(layout)
        append(transactionID)
        append(positions.answers)
        append(positions.votes)
        append(positions.questions)
        append(source.partition)
        for text in [source.clusterID, source.answersTopic, source.votesTopic] {
            append(UInt32(truncatingIfNeeded: text.utf8.count))
            row.append(contentsOf: text.utf8)
        }
        row.withUnsafeMutableBytes { row in
            StaticKey.withBytes(Self.key) { sealRow(row, key: $0) }
        }
        return row
    }

    init(transactionID: UInt64, positions: TablePositions, source: StoreSource) {
        self.transactionID = transactionID
        self.positions = positions
        self.source = source
    }

    /// Nil when the bytes are not such a row. `layout` comes first, so that a row of another version can be recognized.
    init?(_ row: Bytes) {
        var place = StoreLayout.checksumLength
        func number<T: FixedWidthInteger>(_ type: T.Type) -> T? {
            guard row.count - place >= MemoryLayout<T>.size else { return nil }
            defer { place += MemoryLayout<T>.size }
            return T(littleEndian: row.loadUnaligned(fromByteOffset: place, as: T.self))
        }
        func text() -> String? {
            guard let length = number(UInt32.self), Int(length) <= row.count - place else { return nil }
            defer { place += Int(length) }
            return String(decoding: row.piece(place, Int(length)), as: UTF8.self)
        }
        guard let layout = number(UInt32.self), let transactionID = number(UInt64.self),
            let answers = number(Int64.self), let votes = number(Int64.self), let questions = number(Int64.self),
            let partition = number(Int32.self), let clusterID = text(), let answersTopic = text(),
            let votesTopic = text()
        else { return nil }
        self.layout = layout
        self.transactionID = transactionID
        positions = TablePositions(answers: answers, votes: votes, questions: questions)
        source = StoreSource(
            clusterID: clusterID, answersTopic: answersTopic, votesTopic: votesTopic, partition: partition)
    }
}
