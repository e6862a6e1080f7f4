/// The way through a partition of a topic, from where reading began at the take-over to its end as of then.
struct CatchUp {
    enum State: Equatable {
        case reading
        /// Reading, and the partition was reported to end below the target: by a replica behind its leader, or because
        /// the log was cut.
        case endsShort(since: ContinuousClock.Instant)
        /// All up to the target is read.
        case done
    }

    /// Next offset to read, beyond the target too.
    var next: Int64
    let start: Int64
    private(set) var target: Int64
    private(set) var state: State

    init(from start: Int64 = 0, to target: Int64 = 0) {
        (self.start, next, self.target) = (start, start, target)
        state = start >= target ? .done : .reading
    }

    var isDone: Bool { state == .done }

    /// Records to read, gaps in the offsets counted.
    var toRead: Int64 { max(0, target - start) }
    /// How many of ``toRead`` have been read.
    var read: Int64 { max(0, min(next, target) - start) }

    /// All records up to ``next`` are read.
    mutating func settle() { if next >= target { state = .done } }

    /// Notes that a broker reported the partition's end at `offset`. An end below the target is that of a replica
    /// behind its leader (`client.rack`, a leader change): the records up to the target are still to come.
    mutating func reachedEnd(at offset: Int64, now: ContinuousClock.Instant = .now) {
        next = max(next, offset)
        settle()
        if state == .reading { state = .endsShort(since: now) }
    }

    /// Whether it has ended short for so long that the leader is to be asked.
    func endsShort(for patience: Duration) -> Bool {
        if case .endsShort(let since) = state { .now - since >= patience } else { false }
    }

    /// Settles an end below the target by the leader's answer.
    /// - Parameter offset: the leader's end; nil: it did not answer.
    /// - Returns: whether the log was cut: it ends below the target, which is lowered to that end.
    mutating func leaderEnds(at offset: Int64?, now: ContinuousClock.Instant = .now) -> Bool {
        guard case .endsShort = state else { return false }
        guard let offset, offset < target else {
            state = .endsShort(since: now)
            return false
        }
        (state, target) = (.reading, offset)
        settle()
        return true
    }
}
