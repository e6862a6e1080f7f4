/// Arrival times of a partition's records: the end and the time of each look at which the end had grown. Bounded:
/// beyond ``most`` looks, the one closest to its neighbours for its age is removed, so a record's age is known to some
/// hundredths of itself.
struct ArrivalTimes: Sendable {
    static let most = 256

    private struct Look {
        var end: Int64
        var at: ContinuousClock.Instant
        /// Seconds since the first look: cheaper to compute with.
        var seconds: Double
    }

    /// Ascending in every field.
    private var looks: [Look] = []
    private var origin: ContinuousClock.Instant?

    mutating func note(end: Int64, at now: ContinuousClock.Instant) {
        if let last = looks.last {
            // An end that went back belongs to a topic that was created again.
            if end < last.end { looks.removeAll() } else if end == last.end { return }
        }
        let origin = origin ?? now
        self.origin = origin
        looks.append(Look(end: end, at: now, seconds: (now - origin) / .seconds(1)))
        if looks.count > Self.most { thin() }
    }

    private mutating func thin() {
        guard let now = looks.last?.seconds else { return }
        var (least, place) = (Double.infinity, 1)
        for index in 1..<(looks.count - 1) {
            let gap = looks[index + 1].seconds - looks[index - 1].seconds
            let share = gap / (now - looks[index].seconds + 1)
            if share < least { (least, place) = (share, index) }
        }
        looks.remove(at: place)
    }

    /// Forgets the arrivals of records below `position`.
    mutating func forget(below position: Int64) {
        // Kept: the last look whose end was not beyond the position. It proves that the record came later.
        guard let first = looks.firstIndex(where: { $0.end > position }), first > 1 else { return }
        looks.removeFirst(first - 1)
    }

    enum Arrival: Sendable, Equatable {
        /// The record came at this look or since the one before it.
        case at(ContinuousClock.Instant)
        /// The record was there at the first look, or earlier.
        case before(ContinuousClock.Instant)
    }

    /// The arrival of the record at `position`; nil: it came after the last look.
    func arrival(ofRecordAt position: Int64) -> Arrival? {
        guard let index = looks.firstIndex(where: { $0.end > position }) else { return nil }
        return index == 0 ? .before(looks[0].at) : .at(looks[index].at)
    }
}
