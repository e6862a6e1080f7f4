import Records

/// Visible changes of questions in one batch, collected while the batch is written, then handed to `WaitingQuestions`.
///
/// The state of a question is a sum, without order, of a hash of each visible answer: its id, JSON and vote count. A change adds
/// the new hash and takes the old one away, so that changes which take each other back add up to 0. Made once per store, used
/// on its thread. A batch's answers are written before its votes.
final class ChangeMarks {
    /// The stamp of a change that was published before: its effect has been seen.
    static let published = Int64.min
    /// The stamp of a change whose record has no timestamp.
    static let noTimestamp = Int64.min + 1

    private struct Mark {
        var keyOffset: Int
        var keyLength: Int
        var delta: UInt64
        var stamp: Int64
        var cause: WaitingQuestions.Cause
        /// Whether some of the changes were published before, and whether some were not.
        var hasPublished = false
        var hasNew = false
        /// Whether the question may have been visibly different between the changes, though they may add up to nothing.
        var isTouched = false

        var isMixed: Bool { hasPublished && hasNew }
    }

    private var marks = GrowingBuffer<Mark>()
    private var keys = GrowingBuffer<UInt8>()
    private var current: Mark?
    /// Whether each question that changed is published even if its changes add up to nothing: an earlier owner of the partition
    /// may have published a state between them.
    private var areCertain = false

    deinit {
        marks.free()
        keys.free()
    }

    /// Begins a batch.
    func begin(areCertain: Bool) {
        marks.removeAll()
        keys.removeAll()
        current = nil
        self.areCertain = areCertain
    }

    /// The changes to come are of this question.
    /// - Parameter key: length, id.
    func begin(_ key: Bytes, cause: WaitingQuestions.Cause) {
        end()
        let offset = keys.count
        keys.append(contentsOf: key.piece(1, key.count - 1))
        current = Mark(
            keyOffset: offset, keyLength: key.count - 1, delta: 0, stamp: Self.noTimestamp, cause: cause)
    }

    /// A change's record.
    @inline(__always)
    func stamp(_ stamp: Int64) {
        guard stamp != Self.published else {
            current?.hasPublished = true
            return
        }
        guard var mark = current else { return }
        mark.hasNew = true
        mark.stamp = max(mark.stamp, stamp)
        current = mark
    }

    @inline(__always)
    func change(from old: UInt64, to new: UInt64) {
        guard old != new else { return }
        current?.delta &+= new &- old
        current?.isTouched = true
    }

    /// Whether it matters what was visible between a batch's changes: somebody may have published it.
    var looksBetween: Bool { areCertain || current?.isMixed ?? false }

    /// Changes of which only the outcome is written may have been visible one by one.
    func touch() { current?.isTouched = true }

    func end() {
        guard let mark = current else { return }
        current = nil
        // Changes that take each other back within the batch are none, unless the first of them may have been seen.
        if mark.hasNew, mark.delta != 0 || mark.isTouched && (mark.hasPublished || areCertain) {
            marks.append(mark)
        } else {
            keys.removeLast(keys.count - mark.keyOffset)
        }
    }

    /// Hands the batch's changed questions over.
    func note(in waiting: WaitingQuestions) {
        for index in 0..<marks.count {
            let mark = marks[index]
            waiting.note(
                keys.bytes(at: mark.keyOffset, count: mark.keyLength),
                delta: areCertain || mark.isMixed ? nil : mark.delta, cause: mark.cause,
                timestamp: mark.stamp == Self.noTimestamp ? nil : mark.stamp)
        }
    }

    // MARK: - The state's hashes

    @inline(__always)
    static func hash(answer id: Bytes, json: Bytes, voteCount: Int64) -> UInt64 {
        let seed = RowChecksum.hash(id) ^ UInt64(bitPattern: voteCount) &* 0x9E37_79B9_7F4A_7C15
        return RowChecksum.hash(json, seed: seed)
    }
}
