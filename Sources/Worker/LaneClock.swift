import Enrichment

/// Accounts for a lane's time. Every moment belongs to one ``LaneActivity``, measured by two readings of the clock a
/// phase; no time is lost between them and none counted twice. Lane thread only.
///
/// Enriching an event goes through four activities, each too short to read the clock for every event: the phase's time
/// is exact, and its division is measured on a sample of the events.
final class LaneClock {
    enum Phase: Equatable {
        case doing(LaneActivity)
        /// Reading (checking), looking up, rendering and producing, event by event.
        case enriching
    }

    /// One event in this many is timed, and the first of every batch.
    static let sampling: Int32 = 32
    private static let enriching: [LaneActivity] = [.reading, .lookup, .rendering, .producing]

    let began: Int64
    /// End of the time accounted for: nanoseconds of ``Monotonic``.
    private(set) var mark: Int64
    private(set) var phase = Phase.doing(.other)
    /// Time by activity, without the undivided.
    private let nanoseconds: UnsafeMutablePointer<Int64>
    /// Time of the enriching phase that is not divided yet.
    private var undivided: Int64 = 0
    /// Times of enriching's four parts in the sampled events; older batches count less and less.
    private let parts: UnsafeMutablePointer<Int64>

    private let stamps: UnsafeMutablePointer<EventStamps>
    private var sampleBegan: Int64 = 0
    private var untilSample: Int32 = 0
    /// Count of phase changes: a sampled event that was held up by another phase is no measure of the others.
    private var changes = 0
    private var sampleChanges = 0

    init() {
        began = Monotonic.nanoseconds
        mark = began
        nanoseconds = .allocate(capacity: LaneActivity.allCases.count)
        nanoseconds.initialize(repeating: 0, count: LaneActivity.allCases.count)
        parts = .allocate(capacity: Self.enriching.count)
        parts.initialize(repeating: 1, count: Self.enriching.count)
        stamps = .allocate(capacity: 1)
        stamps.initialize(to: EventStamps())
    }

    deinit {
        nanoseconds.deallocate()
        parts.deallocate()
        stamps.deallocate()
    }

    // MARK: - Phases

    /// Begins a phase.
    func begin(_ next: Phase) {
        let now = Monotonic.nanoseconds
        account(now - mark, to: phase)
        mark = now
        changes += 1
        if phase == .enriching, next != .enriching { divide() }
        if next == .enriching { untilSample = 0 }
        phase = next
    }

    func begin(_ activity: LaneActivity) { begin(.doing(activity)) }

    /// Counts the time since the phase began, or since the last call, as another activity's.
    func attribute(to activity: LaneActivity) {
        let now = Monotonic.nanoseconds
        account(now - mark, to: .doing(activity))
        mark = now
    }

    /// Nanoseconds of `activity` so far, without the current phase's.
    subscript(activity: LaneActivity) -> Int64 { nanoseconds[activity.rawValue] }

    /// Brings the account up to date and copies it.
    func write(into times: inout LaneTimes) {
        let now = Monotonic.nanoseconds
        account(now - mark, to: phase)
        mark = now
        if phase == .enriching { divide() }
        for activity in LaneActivity.allCases { times[activity] = nanoseconds[activity.rawValue] }
    }

    private func account(_ elapsed: Int64, to phase: Phase) {
        switch phase {
        case .doing(let activity): nanoseconds[activity.rawValue] += elapsed
        case .enriching: undivided += elapsed
        }
    }

    private func divide() {
        var left = undivided
        var weight: Int64 = 0
        for part in 0..<Self.enriching.count { weight += parts[part] }
        for part in 0..<Self.enriching.count {
            let share =
                part == Self.enriching.count - 1
                ? left : max(0, min(left, Int64(Double(left) * Double(parts[part]) / Double(weight))))
            nanoseconds[Self.enriching[part].rawValue] += share
            left -= share
            weight = max(1, weight - parts[part])
            // Never 0: the next division needs a weight.
            parts[part] = parts[part] / 2 + 1
        }
        undivided = 0
    }

    // MARK: - Timed events

    /// Stamps for the next event's times; nil: it is not timed. Called for every event, and reads the clock for the
    /// sampled ones alone.
    @inline(__always)
    func nextStamps() -> UnsafeMutablePointer<EventStamps>? {
        untilSample -= 1
        return untilSample < 0 ? beginSample() : nil
    }

    @inline(never)
    private func beginSample() -> UnsafeMutablePointer<EventStamps> {
        untilSample = Self.sampling - 1
        sampleChanges = changes
        sampleBegan = Monotonic.nanoseconds
        return stamps
    }

    /// Ends the sample: the event that ``nextStamps()`` gave stamps for has been handed to the producer.
    @inline(never)
    func endSample() {
        let now = Monotonic.nanoseconds
        guard changes == sampleChanges else {
            untilSample = 0
            return
        }
        parts[0] += stamps.pointee.checked - sampleBegan
        parts[1] += stamps.pointee.lookedUp - stamps.pointee.checked
        parts[2] += stamps.pointee.rendered - stamps.pointee.lookedUp
        parts[3] += now - stamps.pointee.rendered
    }
}
