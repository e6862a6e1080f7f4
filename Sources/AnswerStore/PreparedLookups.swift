import Records

/// Searches for the rows of several questions at once, for lookups that come soon.
///
/// A lookup in a large store waits for memory a dozen times, each time for a place that the one before it names. Here the
/// searches of all questions go on in turns: each takes one step, asks for what its next step reads, and leaves that on its way
/// while the others take theirs. What they find holds as long as nothing is applied to the store; a lookup for which nothing was
/// prepared, or holds any more, searches by itself.
///
/// A question has the number of its event, by which it is asked for later. One per lane, not Sendable; allocates when it is made.
package final class PreparedLookups {
    /// Questions that are searched for at once, at most.
    package static let capacity = 24
    /// What was found for a number is there until one comes that is so much larger.
    package static let room = 64

    private struct Wanted {
        var number: Int
        var key: Bytes
    }

    private let wanted = UnsafeMutablePointer<Wanted>.allocate(capacity: capacity)
    private var wantedCount = 0
    private let keys = UnsafeMutableRawPointer.allocate(byteCount: capacity * keyStride, alignment: 8)
    private static let keyStride = 1 + StoreLayout.idLengths.upperBound

    /// Two searches for each question that is wanted, side by side.
    private let walks = UnsafeMutablePointer<PageWalk>.allocate(capacity: 2 * capacity)
    /// The indexes of those that go on.
    private let going = UnsafeMutablePointer<Int>.allocate(capacity: 2 * capacity)

    private let found = UnsafeMutablePointer<PreparedRows>.allocate(capacity: room)

    package init() { found.initialize(repeating: PreparedRows(), count: Self.room) }

    deinit {
        wanted.deallocate()
        keys.deallocate()
        walks.deallocate()
        going.deallocate()
        found.deallocate()
    }

    /// Adds a question to those that are searched for next. What cannot be an id is left out, as is what is too much.
    package func add(_ question: Bytes, number: Int) {
        guard wantedCount < Self.capacity, StoreLayout.idLengths.contains(question.count),
            let id = question.baseAddress
        else { return }
        let key = keys + wantedCount &* Self.keyStride
        key.storeBytes(of: UInt8(truncatingIfNeeded: question.count), as: UInt8.self)
        (key + 1).copyMemory(from: id, byteCount: question.count)
        wanted[wantedCount] = Wanted(number: number, key: Bytes(start: key, count: 1 &+ question.count))
        wantedCount &+= 1
    }

    /// What was found for a number; it proves itself by its rows' keys, so that another question's does no harm.
    /// - Returns: valid until the next search.
    @inline(__always)
    package subscript(number: Int) -> UnsafePointer<PreparedRows> {
        UnsafePointer(found + (number & (Self.room &- 1)))
    }

    /// Searches for what was added. Nothing is wanted any more then.
    /// - Parameter trees: nil when there are none to be searched.
    func search(in trees: MappedTrees?) {
        defer { wantedCount = 0 }
        guard let trees else { return }
        var active = 0
        for index in 0..<wantedCount {
            let want = wanted[index]
            found[want.number & (Self.room &- 1)] = PreparedRows(question: index)
            // A question's answers begin behind the key, its tallies are right there.
            if let walk = PageWalk(want.key, from: trees.answers, in: trees, isRange: true) {
                walks[2 &* index] = walk
                going[active] = 2 &* index
                active &+= 1
            }
            if let walk = PageWalk(want.key, from: trees.tallies, in: trees, isRange: false) {
                walks[2 &* index &+ 1] = walk
                going[active] = 2 &* index &+ 1
                active &+= 1
            }
        }
        while active > 0 {
            var turn = 0
            while turn < active {
                let index = going[turn]
                if walks[index].advance(in: trees) {
                    turn &+= 1
                } else {
                    active &-= 1
                    going[turn] = going[active]
                    keep(walks[index].place, of: index / 2, isOfAnswers: index & 1 == 0, trees)
                }
            }
        }
    }

    @inline(__always)
    private func keep(_ place: PageWalk.Place?, of question: Int, isOfAnswers: Bool, _ trees: MappedTrees) {
        let rows = found + (wanted[question].number & (Self.room &- 1))
        // Both places are one question's, or that there are no tallies would be said of another.
        guard rows.pointee.question == question else { return }
        rows.pointee.trees = trees.id
        if isOfAnswers { rows.pointee.answers = place } else { rows.pointee.tallies = place }
    }
}

/// Where a question's rows begin, as of one commit.
package struct PreparedRows {
    /// Which of those that were searched for together.
    var question = 0
    /// `MappedTrees.id`; 0: nothing was found.
    var trees: UInt64 = 0
    var answers: PageWalk.Place?
    var tallies: PageWalk.Place?
}

extension AnswerStore {
    /// Searches for the questions that were added to `lookups`, so that looking them up soon takes less time.
    package func prepare(_ lookups: PreparedLookups) {
        // A failure is told by the lookup that meets it too.
        if let environment = try? openEnvironment() { _ = try? view(environment) }
        lookups.search(in: trees)
    }
}
