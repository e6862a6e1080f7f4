import Bytes

/// Searches for the rows of several questions at once, ahead of their lookups.
///
/// A lookup in a large store waits for memory a dozen times, each time at an address read from the previous one. Here
/// the searches of all questions are interleaved: each takes one step, prefetches the data of its next step, and yields
/// to the others meanwhile. Results are valid until the store is changed; a lookup without a valid preparation searches
/// by itself.
///
/// Each question has its event's number, by which the lookup finds the result. One per lane, not Sendable; allocates
/// only when created.
package final class PreparedLookups {
    /// The maximum number of questions searched at once.
    package static let capacity = 24
    /// The number of event numbers for which results are kept.
    package static let room = 64

    /// Indexed by number modulo `room`, with memory for each one's key.
    private let found = UnsafeMutablePointer<PreparedRows>.allocate(capacity: room)
    private let keys = UnsafeMutableRawPointer.allocate(byteCount: room * keyStride, alignment: 8)
    private static let keyStride = 1 + StoreLayout.idLengths.upperBound

    /// The questions to search next: their indices in `found`.
    private let wanted = UnsafeMutablePointer<Int>.allocate(capacity: capacity)
    private var wantedCount = 0

    /// Two interleaved searches per question.
    private let walks = UnsafeMutablePointer<PageWalk>.allocate(capacity: 2 * capacity)
    /// The indices of the walks still running.
    private let going = UnsafeMutablePointer<Int>.allocate(capacity: 2 * capacity)

    /// Allocates all memory that it ever uses.
    package init() { found.initialize(repeating: PreparedRows(), count: Self.room) }

    deinit {
        found.deallocate()
        keys.deallocate()
        wanted.deallocate()
        walks.deallocate()
        going.deallocate()
    }

    /// Adds a question to the next search. Skips invalid ids, questions beyond `capacity`, and numbers whose slot is
    /// already taken (`room` apart from another's).
    /// - Parameter question: copied.
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

    /// The result for a number, or for an older number that had the same slot.
    /// - Returns: a pointer valid until the next `add`.
    @inline(__always)
    package subscript(number: Int) -> UnsafePointer<PreparedRows> {
        UnsafePointer(found + (number & (Self.room &- 1)))
    }

    @inline(__always)
    fileprivate var isEmpty: Bool { wantedCount == 0 }

    /// Runs the searches added, and clears the list of questions to search.
    /// - Parameter trees: nil when there are none to search.
    func search(in trees: MappedTrees?) {
        var active = 0
        for index in 0..<wantedCount {
            let rows = found + wanted[index]
            rows.pointee.isWanted = false
            guard let trees else { continue }
            rows.pointee.trees = trees.id
            // A question's answers begin at the first row after the key; its tallies are the key's own row.
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

/// The positions of a question's rows, as of one commit.
package struct PreparedRows {
    /// The prefix of the question's keys; empty: no question.
    var key = Bytes(start: nil, count: 0)
    /// Whether the search is still to be run.
    fileprivate(set) var isWanted = false
    /// `MappedTrees.id`; 0: not searched.
    var trees: UInt64 = 0
    var answers: PageWalk.Place?
    var tallies: PageWalk.Place?
}

extension AnswerStore {
    /// Searches for the questions added to `lookups`, so that their lookups are faster.
    package func prepare(_ lookups: PreparedLookups) {
        guard !lookups.isEmpty else { return }
        // The next lookup meets the same failure and reports it.
        if isIdle { try? beginReading() }
        lookups.search(in: trees)
    }

    /// The last commit's trees, while a transaction is open.
    @inline(__always)
    var trees: MappedTrees? {
        switch state {
        case .reading(let reading): reading.trees
        case .writing(let writes, _): writes.trees
        default: nil
        }
    }
}
