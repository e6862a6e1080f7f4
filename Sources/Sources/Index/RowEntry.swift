import Bytes

/// The record last published for a row, as far as a later change or deletion of the row needs it.
struct RowEntry: Equatable {
    /// nil: no record is published for the row; only its long values are kept.
    var identity: RecordIdentity?
    /// The value, without its question, of a vote that names only its answer: published again when the answer moves.
    var vote: [UInt8]?
    var kept: [KeptField] = []

    init(identity: RecordIdentity?, vote: [UInt8]? = nil, kept: [KeptField] = []) {
        self.identity = identity
        self.vote = vote
        self.kept = kept
    }

    /// A vote that waits for its answer, and was not published.
    var isWaiting: Bool { vote != nil && identity?.questionID == nil }

    /// Replaces the entry of a deleted row with kept values: a connector that restarts at an earlier position repeats
    /// changes without those values, which are gone by then, and the deletion after them.
    static let grave: [UInt8] = [2]

    // Layout: version, topic, ids, vote, kept values; each of the parts after the topic follows its length.

    private static let version: UInt8 = 1
    /// Stands for the topic where there is none.
    private static let noTopic: UInt8 = 0xFF

    var bytes: [UInt8] {
        let topic = identity.map { UInt8(ContractTopic.allCases.firstIndex(of: $0.topic) ?? 0) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(80 + (vote?.count ?? 0) + kept.reduce(0) { $0 + $1.json.count + 40 })
        bytes.append(Self.version)
        bytes.append(topic ?? Self.noTopic)
        Self.append(identity?.questionID?.utf8, to: &bytes)
        Self.append(identity?.answerID?.utf8, to: &bytes)
        Self.append(identity?.voterID?.utf8, to: &bytes)
        Self.append(vote, to: &bytes)
        for field in kept {
            Self.append(field.name.utf8, to: &bytes)
            Self.append(field.json, to: &bytes)
        }
        return bytes
    }

    /// The place of a vote that names only its answer, read from an entry's bytes; nil: they hold no such vote.
    static func votePlace(in bytes: Bytes) -> VotePlace? {
        guard bytes.count > 2, bytes[0] == version, bytes[1] != noTopic else { return nil }
        var place = 2
        guard let question = take(bytes, &place), case .some(.some(let answer)) = take(bytes, &place),
            take(bytes, &place) != nil, case .some(.some) = take(bytes, &place)
        else { return nil }
        return VotePlace(isWaiting: question == nil, answer: answer)
    }

    /// - Returns: nil when the bytes are no entry, or one of another version.
    init?(_ bytes: [UInt8]) {
        guard let entry = bytes.withUnsafeBytes({ RowEntry(reading: $0) }) else { return nil }
        self = entry
    }

    private init?(reading bytes: Bytes) {
        guard bytes.count > 2, bytes[0] == Self.version,
            bytes[1] == Self.noTopic || Int(bytes[1]) < ContractTopic.allCases.count
        else { return nil }
        var place = 2
        guard let question = Self.take(bytes, &place), let answer = Self.take(bytes, &place),
            let voter = Self.take(bytes, &place), let vote = Self.take(bytes, &place)
        else { return nil }
        let text = { (part: Bytes?) in part.map { String(decoding: $0, as: UTF8.self) } }
        if bytes[1] != Self.noTopic {
            identity = RecordIdentity(
                topic: ContractTopic.allCases[Int(bytes[1])], questionID: text(question), answerID: text(answer),
                voterID: text(voter))
        }
        self.vote = vote.map { Array($0) }
        while place < bytes.count {
            guard let name = Self.take(bytes, &place), let json = Self.take(bytes, &place) else { return nil }
            kept.append(KeptField(name: text(name) ?? "", json: json.map { Array($0) } ?? []))
        }
    }

    /// The length plus one in 7-bit groups, 0 for nil.
    private static func append(_ part: (some Collection<UInt8>)?, to bytes: inout [UInt8]) {
        var length = part.map { $0.count + 1 } ?? 0
        while length >= 0x80 {
            bytes.append(UInt8(length & 0x7F) | 0x80)
            length >>= 7
        }
        bytes.append(UInt8(length))
        if let part { bytes.append(contentsOf: part) }
    }

    /// The part at a place, which moves behind it; an inner nil: the part is nil. nil: the bytes end before its end.
    private static func take(_ bytes: Bytes, _ place: inout Int) -> Bytes?? {
        var (length, shift) = (0, 0)
        while true {
            guard place < bytes.count, shift < 56 else { return .none }
            let byte = bytes[place]
            place += 1
            length |= Int(byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        if length == 0 { return .some(nil) }
        guard bytes.count - place >= length - 1 else { return .none }
        defer { place += length - 1 }
        return Bytes(rebasing: bytes[place..<(place + length - 1)])
    }
}
