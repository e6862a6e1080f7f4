import Bytes

/// The answer of a vote that names only its answer, and whether the vote waits for it. Rows are found by it.
struct VotePlace {
    let isWaiting: Bool
    /// The answer's id. Borrowed from where it was read.
    let answer: Bytes

    init(isWaiting: Bool, answer: Bytes) {
        self.isWaiting = isWaiting
        self.answer = answer
    }

    /// - Returns: nil: the entry is no row's, or no vote's that names only its answer.
    init?(ofRow key: Bytes, _ value: Bytes?) {
        guard let value, IndexKey.isRow(key), let place = RowEntry.votePlace(in: value) else { return nil }
        self = place
    }

    /// Not the same in another process.
    var hash: Int {
        var hasher = Hasher()
        hasher.combine(isWaiting)
        hasher.combine(bytes: answer)
        return hasher.finalize()
    }

    func isSame(as other: VotePlace) -> Bool {
        isWaiting == other.isWaiting && answer.isEqual(to: other.answer)
    }
}
