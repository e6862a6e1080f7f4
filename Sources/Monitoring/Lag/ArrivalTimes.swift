/// When a partition's records came, as far as its end was looked at: for each look at which the end had grown, the end and the
/// time. Bounded: where looks become too many, those go that are closest to their neighbours for their age, so that the age of a
/// record is known to some hundredths of itself.
struct ArrivalTimes: Sendable {
    static let most = 256

    private struct Look {
        var end: Int64
        var at: ContinuousClock.Instant
        /// Since the first of all looks: cheaper to reckon with.
        var seconds: Double
    }

    /// In ascending order of all.
    private var looks: [Look] = []
    private var origin: ContinuousClock.Instant?

    mutating func note(end: Int64, at now: ContinuousClock.Instant) {
        if let last = looks.last {
            // An end that went back is one of a topic that was made anew.
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

    /// What is below `position` is of no interest any more.
    mutating func forget(below position: Int64) {
        // The last look at which the end was not beyond the position tells that the record came later.
        guard let first = looks.firstIndex(where: { $0.end > position }), first > 1 else { return }
        looks.removeFirst(first - 1)
    }

    enum Arrival: Sendable, Equatable {
        /// The record came at this look or since the one before.
        case at(ContinuousClock.Instant)
        /// The record was there at the first look.
        case before(ContinuousClock.Instant)
    }

    /// When the record at `position` came; nil where the last look did not see it.
    func arrival(ofRecordAt position: Int64) -> Arrival? {
        guard let index = looks.firstIndex(where: { $0.end > position }) else { return nil }
        return index == 0 ? .before(looks[0].at) : .at(looks[index].at)
    }
}
