import Records

/// Searches for the rows of several questions at once, for lookups that come soon.
///
/// A lookup in a large store waits for memory a dozen times, each time for a place that the one before it names. Here the
/// searches of all questions go on in turns: each takes one step, asks for what its next step reads, and leaves that on its way
/// while the others take theirs. What they find holds as long as nothing is applied to the store; a lookup whose preparation is
/// missing or outdated searches by itself.
///
/// A question has the number of its event, by which it is asked for later. One per lane, not Sendable; allocates when it is made.
package final class PreparedLookups {
    /// Questions that are searched for at once, at most.
    package static let capacity = 24
    /// Results are kept for this many numbers.
    package static let room = 64

    /// By number, in turn, with room for each one's key.
    private let found = UnsafeMutablePointer<PreparedRows>.allocate(capacity: room)
    private let keys = UnsafeMutableRawPointer.allocate(byteCount: room * keyStride, alignment: 8)
    private static let keyStride = 1 + StoreLayout.idLengths.upperBound

    /// Those that are searched for next: their places in `found`.
    private let wanted = UnsafeMutablePointer<Int>.allocate(capacity: capacity)
    private var wantedCount = 0

    /// Two searches for each question that is wanted, side by side.
    private let walks = UnsafeMutablePointer<PageWalk>.allocate(capacity: 2 * capacity)
    /// The indexes of those that go on.
    private let going = UnsafeMutablePointer<Int>.allocate(capacity: 2 * capacity)

    package init() { found.initialize(repeating: PreparedRows(), count: Self.room) }

    deinit {
        found.deallocate()
        keys.deallocate()
        wanted.deallocate()
        walks.deallocate()
        going.deallocate()
    }

    /// Adds a question to those that are searched for next. Ids that cannot be one are left out, as are questions beyond `capacity`
    /// and those whose numbers are `room` apart from another's.
    /// - Parameter question: is copied.
    package func add(_ question: Bytes, number: Int) {
        let place = number & (Self.room &- 1)
        guard wantedCount < Self.capacity, StoreLayout.idLengths.contains(question.count),
            let id = question.baseAddress, !found[place].isWanted
        else { return }
        let key = keys + place &* Self.keyStride
        key.storeBytes(of: UInt8(truncatingIfNeeded: question.count), as: UInt8.self)
        (key + 1).copyMemory(from: id, byteCount: question.count)
        found[place] = PreparedRows(key: Bytes(start: key, count: 1 &+ question.count), isWanted: true)
        wanted[wantedCount] = place
        wantedCount &+= 1
    }

    /// What was found for a number, or for one that had its place before.
    /// - Returns: valid until the next `add`.
    @inline(__always)
    package subscript(number: Int) -> UnsafePointer<PreparedRows> {
        UnsafePointer(found + (number & (Self.room &- 1)))
    }

    @inline(__always)
    fileprivate var isEmpty: Bool { wantedCount == 0 }

    /// Searches for what was added. Nothing is wanted any more then.
    /// - Parameter trees: nil when there are none to be searched.
    func search(in trees: MappedTrees?) {
        var active = 0
        for index in 0..<wantedCount {
            let rows = found + wanted[index]
            rows.pointee.isWanted = false
            guard let trees else { continue }
            rows.pointee.trees = trees.id
            // A question's answers begin at the first row after the key, its tallies are the key's row.
            if let walk = PageWalk(rows.pointee.key, from: trees.answers, in: trees, isRange: true) {
                walks[2 &* index] = walk
                going[active] = 2 &* index
                active &+= 1
            }
            if let walk = PageWalk(rows.pointee.key, from: trees.tallies, in: trees, isRange: false) {
                walks[2 &* index &+ 1] = walk
                going[active] = 2 &* index &+ 1
                active &+= 1
            }
        }
        wantedCount = 0
        guard let trees else { return }
        while active > 0 {
            var turn = 0
            while turn < active {
                let index = going[turn]
                if walks[index].advance(in: trees) {
                    turn &+= 1
                } else {
                    active &-= 1
                    going[turn] = going[active]
                    let rows = found + wanted[index / 2]
                    if index & 1 == 0 {
                        rows.pointee.answers = walks[index].place
                    } else {
                        rows.pointee.tallies = walks[index].place
                    }
                }
            }
        }
    }
}

/// Where a question's rows begin, as of one commit.
package struct PreparedRows {
    /// As rows of the question begin; empty: of none.
    var key = Bytes(start: nil, count: 0)
    /// Is searched for next; nothing was found yet.
    fileprivate(set) var isWanted = false
    /// `MappedTrees.id`; 0: nothing was searched.
    var trees: UInt64 = 0
    var answers: PageWalk.Place?
    var tallies: PageWalk.Place?
}

extension AnswerStore {
    /// Searches for the questions that were added to `lookups`, so that looking them up soon takes less time.
    package func prepare(_ lookups: PreparedLookups) {
        guard !lookups.isEmpty else { return }
        // A failure is told by the lookup that meets it too.
        if isIdle { try? beginReading() }
        lookups.search(in: trees)
    }

    /// The trees of the last commit, while a transaction is on.
    @inline(__always)
    var trees: MappedTrees? {
        switch state {
        case .reading(let reading): reading.trees
        case .writing(let writes, _): writes.trees
        default: nil
        }
    }
}
