import AnswerStore
import Enrichment
import KafkaClient
import Records

/// What a partition has beside its tables where published records follow every change (``PublishMode/changes(coalesce:)``).
///
/// The committed offsets of the tables stand below the oldest change that is not published yet (`heldPositions`), so that
/// whoever works on the partition next reads it again. Lane thread only.
final class LivePartition {
    /// The store's questions are filled from their topic up to the group's committed offset; from there on the lane's events
    /// bring them.
    enum History {
        case reading(next: Int64, target: Int64)
        case done
    }

    let waiting = WaitingQuestions()
    /// Question events that were worked on and are not in the store yet.
    let rows = TableBatch()
    var history = History.done
    /// Where the reading began.
    var historyStart: Int64 = 0
    /// As ``TableProgress/endsShort``.
    var historyEndsShort: ContinuousClock.Instant?
    /// Next offset of the questions that the store is to hold, as far as they were read from their topic.
    var historyNext: Int64 {
        get { if case .reading(let next, _) = history { next } else { historyEnd } }
        set { historyEnd = newValue }
    }
    private var historyEnd: Int64 = 0
    /// Where the tables have to be read again from, as memory for waiting questions was used up: from there on changes were
    /// applied, but not noted. nil: all are noted.
    var unmarked: TablePositions?
    /// Whether nothing is applied from `unmarked` on until what waits is published. A partition that is being restored goes on.
    var isHalted = false
    /// The queue's end when the publishing began that goes on.
    var publishUpTo: UInt64 = 0
    let omissions = OmissionDigests()
    var withheld = WithheldQuestions()
    /// Questions that a change made too large, whose dead letters are in the current transaction: noted with the question once
    /// that is committed.
    var lettered: [[UInt8]] = []

    /// Question events that there were to read at the take-over, gaps in the offsets counted.
    var toRead: Int64 {
        if case .reading(_, let target) = history { target - historyStart } else { 0 }
    }

    var isRestored: Bool {
        if case .done = history { true } else { false }
    }

    /// Whether there is something to publish, or to look for.
    var isBehind: Bool { !waiting.isEmpty || unmarked != nil }

    /// Where the committed offsets have to stay; nil: nothing waits.
    var heldPositions: TablePositions? {
        guard let held = waiting.heldPositions else { return unmarked }
        guard let unmarked else { return held }
        return TablePositions(answers: min(held.answers, unmarked.answers), votes: min(held.votes, unmarked.votes))
    }

    /// After an abort: what waits, and what was published and is void, is found again from the committed offsets on.
    func forget() {
        waiting.removeAll()
        rows.removeAll()
        unmarked = nil
        isHalted = false
        omissions.removeAll()
        withheld.aborted()
        lettered.removeAll()
    }
}

/// When a lane publishes what waits. All questions that wait when the window ends are published together, so that the tables'
/// offsets can be committed up to where they have been read.
struct PublishWindow {
    enum State {
        /// Nothing waits.
        case closed
        /// Questions wait until the window's end. The oldest of them may have waited before the window began.
        case open(since: ContinuousClock.Instant, oldest: ContinuousClock.Instant)
        /// Those questions are published that waited when it began.
        case publishing(oldest: ContinuousClock.Instant, began: ContinuousClock.Instant)
    }

    /// Bounds of what is published in one step, so that events are not kept waiting.
    static let bounds = (records: 2048, bytes: 4 << 20)

    let length: Duration
    var state = State.closed
    /// Whether the next questions that wait have done so before: with another owner of the partition, or before an abort.
    var isResumed = false
    /// When the log last said that the window does not hold.
    private var warned: ContinuousClock.Instant?

    init(length: Duration) { self.length = length }

    /// Whether the log is to say that the window does not hold: once a minute.
    mutating func isToWarn() -> Bool {
        if let warned, .now - warned < .seconds(60) { return false }
        warned = .now
        return true
    }

    /// What waits is forgotten and found again.
    mutating func restart() {
        state = .closed
        isResumed = true
    }

    /// Questions wait that did not.
    /// - Parameter age: of the oldest change, by its record's timestamp. It counts where the question has waited before, so that
    ///   restarts do not put off its publication.
    mutating func open(age: @autoclosure () -> Duration) {
        let since = ContinuousClock.now - (isResumed ? min(max(.zero, age()), length) : .zero)
        isResumed = false
        state = .open(since: since, oldest: since)
    }

    var isPublishing: Bool {
        if case .publishing = state { true } else { false }
    }

    /// Since when the oldest change has waited.
    var oldest: ContinuousClock.Instant? {
        switch state {
        case .closed: nil
        case .open(_, let oldest), .publishing(let oldest, _): oldest
        }
    }

    /// Milliseconds that a lane may wait for events.
    /// - Parameter milliseconds: as long as it would wait otherwise.
    func wait(_ milliseconds: Int32) -> Int32 {
        switch state {
        case .publishing: return 0
        case .closed:
            // A change is seen when the lane looks at its tables.
            return min(milliseconds, length < .milliseconds(100) ? 5 : 50)
        case .open(let since, _):
            let left = max(.zero, length - (.now - since))
            return min(milliseconds, Int32(clamping: left / .milliseconds(1)))
        }
    }
}

extension Int32 {
    fileprivate init(clamping value: Double) { self = value >= 1e9 ? 1_000_000_000 : Int32(value.rounded(.up)) }
}

/// The header that says why a record was published that no question event led to.
enum ChangeCause {
    static let header: StaticString = "rejoinder.cause"
    static let longest = 7

    static func value(_ cause: WaitingQuestions.Cause) -> StaticString {
        switch cause {
        case .answers: "answers"
        case .votes: "votes"
        }
    }
}

/// What is committed beside a table's offset, as text: `letters=17` where dead letters are published for good beyond the offset, up
/// to 17, though the changes from the offset on are not.
enum OffsetNote {
    private static let letters = "letters="

    static func text(letters: Int64) -> String { "\(Self.letters)\(letters)" }

    static func letters(in note: String?) -> Int64? {
        guard let note else { return nil }
        for part in note.split(separator: " ") where part.hasPrefix(letters) {
            return Int64(part.dropFirst(letters.count))
        }
        return nil
    }
}
