import Enrichment

/// Keeps account of a lane's time. Every moment belongs to one ``LaneActivity``, told by two readings of the clock a phase;
/// nothing is lost between them and nothing counted twice. Lane thread only.
///
/// Events are enriched one by one, through four activities each, too short to read the clock for all of them: the phase's
/// time is exact, and how it divides is known from a few events whose parts are timed.
final class LaneClock {
    enum Phase: Equatable {
        case doing(LaneActivity)
        /// Reading (checking), looking up, rendering and producing in turns.
        case enriching
    }

    /// One event in so many is timed, and the first of every batch.
    static let sampling: Int32 = 32
    private static let enriching: [LaneActivity] = [.reading, .lookup, .rendering, .producing]

    let began: Int64
    /// Up to here the time is accounted for: nanoseconds of ``Monotonic``.
    private(set) var mark: Int64
    private(set) var phase = Phase.doing(.other)
    /// By activity.
    private let nanoseconds: UnsafeMutablePointer<Int64>
    /// Time of enriching that is not divided yet.
    private var undivided: Int64 = 0
    /// What the four parts of enriching took in the timed events, older batches counting less and less.
    private let parts: UnsafeMutablePointer<Int64>

    private let stamps: UnsafeMutablePointer<EventStamps>
    private var sampleBegan: Int64 = 0
    private var untilSample: Int32 = 0
    /// How often the phase has changed: an event that was held up meanwhile is no measure of the others.
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

    /// What is done from here on.
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

    /// The time since the phase began, or since the last call, went into something else than the phase.
    func attribute(to activity: LaneActivity) {
        let now = Monotonic.nanoseconds
        account(now - mark, to: .doing(activity))
        mark = now
    }

    /// Nanoseconds of `activity` so far, the current phase's not included.
    subscript(activity: LaneActivity) -> Int64 { nanoseconds[activity.rawValue] }

    /// Brings the account up to now and copies it.
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
            // Never 0, so that there is always something to divide by.
            parts[part] = parts[part] / 2 + 1
        }
        undivided = 0
    }

    // MARK: - Timed events

    /// Where the next event's times go; nil: it is not timed. For every event: reads no clock for most.
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

    /// The event that ``nextStamps()`` gave stamps for has been handed to the producer.
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
