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
        var bytes: [UInt8] = [Self.version, topic ?? Self.noTopic]
        for id in [identity?.questionID, identity?.answerID, identity?.voterID] {
            Self.append(id.map { Array($0.utf8) }, to: &bytes)
        }
        Self.append(vote, to: &bytes)
        for field in kept {
            Self.append(Array(field.name.utf8), to: &bytes)
            Self.append(field.json, to: &bytes)
        }
        return bytes
    }

    /// - Returns: nil when the bytes are no entry, or one of another version.
    init?(_ bytes: [UInt8]) {
        guard bytes.count > 2, bytes[0] == Self.version,
            bytes[1] == Self.noTopic || Int(bytes[1]) < ContractTopic.allCases.count
        else { return nil }
        var rest = bytes[2...]
        var parts: [[UInt8]?] = []
        while !rest.isEmpty {
            guard let part = Self.take(&rest) else { return nil }
            parts.append(part)
        }
        guard parts.count >= 4, parts.count % 2 == 0 else { return nil }
        let text = { (part: [UInt8]?) in part.map { String(decoding: $0, as: UTF8.self) } }
        if bytes[1] != Self.noTopic {
            identity = RecordIdentity(
                topic: ContractTopic.allCases[Int(bytes[1])], questionID: text(parts[0]), answerID: text(parts[1]),
                voterID: text(parts[2]))
        }
        vote = parts[3]
        kept = stride(from: 4, to: parts.count, by: 2).map {
            KeptField(name: text(parts[$0]) ?? "", json: parts[$0 + 1] ?? [])
        }
    }

    /// The length plus one in 7-bit groups, 0 for nil.
    private static func append(_ part: [UInt8]?, to bytes: inout [UInt8]) {
        var length = part.map { $0.count + 1 } ?? 0
        while length >= 0x80 {
            bytes.append(UInt8(length & 0x7F) | 0x80)
            length >>= 7
        }
        bytes.append(UInt8(length))
        if let part { bytes.append(contentsOf: part) }
    }

    private static func take(_ rest: inout ArraySlice<UInt8>) -> [UInt8]?? {
        var (length, shift) = (0, 0)
        while true {
            guard let byte = rest.popFirst(), shift < 56 else { return .none }
            length |= Int(byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        if length == 0 { return .some(nil) }
        guard rest.count >= length - 1 else { return .none }
        defer { rest = rest.dropFirst(length - 1) }
        return .some(Array(rest.prefix(length - 1)))
    }
}
