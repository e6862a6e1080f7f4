import Bytes

/// Keys of the sources' index, in its store and in its topic. The first byte is a letter for the kind.
enum IndexKey {
    private static let row = UInt8(ascii: "r")
    private static let answer = UInt8(ascii: "a")
    private static let waiting = UInt8(ascii: "w")
    private static let vote = UInt8(ascii: "v")
    private static let moved = UInt8(ascii: "m")
    /// Key of the number of index partitions among which entries are placed.
    static let placement = [UInt8(ascii: "p")]
    /// LMDB takes keys of 511 bytes. A waiting vote's key has an answer's id of up to 200 bytes before the row's key.
    private static let longestRow = 240

    /// Key of a row: topic, partition and the record's key, which is the row's primary key.
    /// - Parameter prefix: that of the row's topic and partition.
    static func row(_ prefix: [UInt8], key: some Collection<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(prefixLength + min(key.count, longestRow))
        bytes.append(contentsOf: prefix)
        if key.count <= longestRow {
            bytes.append(contentsOf: key)
        } else {
            // Two hashes of 64 bits stand for a long key.
            bytes.append(0xFF)
            append(hash(key, seed: 0xCBF2_9CE4_8422_2325), to: &bytes)
            append(hash(key, seed: 0x9E37_79B9_7F4A_7C15), to: &bytes)
        }
        return bytes
    }

    /// Length of the prefix that the keys of a partition's rows share.
    static let prefixLength = 13

    static func prefix(topic: String, partition: Int32) -> [UInt8] {
        var bytes: [UInt8] = [row]
        bytes.reserveCapacity(64)
        append(hash(topic.utf8, seed: 0xCBF2_9CE4_8422_2325), to: &bytes)
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: partition >> Int32(shift))) }
        return bytes
    }

    /// Key of an answer; the value is its question's id. An empty value: the id is a question's.
    static func answer(_ id: String) -> [UInt8] { [answer] + Array(id.utf8) }

    /// The answer's id in such a key; nil: it is another key.
    static func answerID(ofKey key: some Collection<UInt8>) -> String? {
        key.first == answer ? String(decoding: key.dropFirst(), as: UTF8.self) : nil
    }

    /// Key of an answer that changed its question, or was taken back: its votes may still be under another question.
    static func moved(_ id: String) -> [UInt8] { [moved] + Array(id.utf8) }

    static let allMoved: [UInt8] = [moved]

    /// The answer's id in such a key; nil: it is another key.
    static func answerID(ofMoved key: some Collection<UInt8>) -> String? {
        key.first == moved ? String(decoding: key.dropFirst(), as: UTF8.self) : nil
    }

    /// Whether the key is a row's.
    static func isRow(_ key: Bytes) -> Bool { key.first == row }

    /// Whether the key is a vote's, which is in the store alone; see ``vote(ofRow:_:)``.
    static func isVote(_ key: Bytes) -> Bool { key.first == waiting || key.first == vote }

    /// The key by which a row's vote is found when it names only its answer: the answer's, then the row's key. nil: the
    /// row's entry holds no such vote, or it is a foreign record with more than LMDB takes as a key.
    static func vote(ofRow row: Bytes, _ entry: Bytes) -> [UInt8]? {
        guard let place = RowEntry.votePlace(in: entry), place.answer.count <= 200,
            2 + place.answer.count + row.count <= 511
        else { return nil }
        var key: [UInt8] = []
        key.reserveCapacity(2 + place.answer.count + row.count)
        key.append(place.isWaiting ? waiting : vote)
        key.append(UInt8(truncatingIfNeeded: place.answer.count))
        key.append(contentsOf: place.answer)
        key.append(contentsOf: row)
        return key
    }

    /// The prefix that such keys share for an answer.
    static func votes(forAnswer id: String, areWaiting: Bool) -> [UInt8] {
        [areWaiting ? waiting : vote, UInt8(truncatingIfNeeded: id.utf8.count)] + Array(id.utf8)
    }

    static let allWaiting: [UInt8] = [waiting]

    /// The answer and the row that a vote's key names; nil: it is another key.
    static func parts(ofVote key: [UInt8]) -> (answerID: String, row: [UInt8])? {
        guard key.first == waiting || key.first == vote, key.count > 2, key.count > 2 + Int(key[1]) else { return nil }
        let end = 2 + Int(key[1])
        return (String(decoding: key[2..<end], as: UTF8.self), Array(key[end...]))
    }

    /// FNV-1a over the bytes.
    private static func hash(_ bytes: some Collection<UInt8>, seed: UInt64) -> UInt64 {
        var hash = seed
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash ^ hash >> 29
    }

    private static func append(_ word: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
        }
    }
}
