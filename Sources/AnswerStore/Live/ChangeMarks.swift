import Bytes

/// Visible changes of questions in one batch, collected while the batch is written, then handed to `WaitingQuestions`.
///
/// A question's state is a sum of hashes, in any order, one of each visible answer: its id, JSON and vote count. A
/// change adds the new hash and subtracts the old one, so that changes that cancel out add up to 0. One per store, used
/// on its thread. A batch's answers are written before its votes.
final class ChangeMarks {
    /// Stamp of a change that was published before, so its effect may have been read.
    static let published = Int64.min
    /// Stamp of a change whose record has no timestamp.
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
        /// Whether the state may have differed between the changes, even if they cancel out.
        var isTouched = false

        var isMixed: Bool { hasPublished && hasNew }
    }

    private var marks = GrowingBuffer<Mark>()
    private var keys = GrowingBuffer<UInt8>()
    private var current: Mark?
    /// Whether every changed question is published even if its changes cancel out: an earlier owner of the partition
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

    /// Begins a question: the changes that follow are of it.
    /// - Parameter key: a length byte, then the id.
    func begin(_ key: Bytes, cause: WaitingQuestions.Cause) {
        end()
        let offset = keys.count
        keys.append(contentsOf: key.piece(1, key.count - 1))
        current = Mark(
            keyOffset: offset, keyLength: key.count - 1, delta: 0, stamp: Self.noTimestamp, cause: cause)
    }

    /// Notes the timestamp of a change's record, or `published`, or `noTimestamp`.
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

    /// Whether states between a batch's changes matter, because they may have been published.
    var looksBetween: Bool { areCertain || current?.isMixed ?? false }

    /// Notes that states between the changes, which are not written, may have been visible.
    func touch() { current?.isTouched = true }

    func end() {
        guard let mark = current else { return }
        current = nil
        // Changes that cancel out within the batch count as none, unless a state between them may have been visible.
        if mark.hasNew, mark.delta != 0 || mark.isTouched && (mark.hasPublished || areCertain) {
            marks.append(mark)
        } else {
            keys.removeLast(keys.count - mark.keyOffset)
        }
    }

    /// Hands the batch's changed questions to `waiting`.
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
        let seed = Checksum.hash(id) ^ UInt64(bitPattern: voteCount) &* 0x9E37_79B9_7F4A_7C15
        return Checksum.hash(json, seed: seed)
    }
}
