import AnswerStore
import Bytes
import Enrichment
import KafkaClient

/// State of a partition where published records follow every change (``PublishMode/changes(coalesce:)``).
///
/// The committed offsets of the tables stay below the oldest change that is not published yet (`heldPositions`), so
/// that the partition's next owner reads it again. Lane thread only.
final class LivePartition {
    /// Whether the tables' changes are noted, so that their questions are published.
    enum Marking {
        case all
        /// Memory for waiting questions ran out at these positions: changes from there on are read again once the
        /// waiting questions are published.
        case upTo(TablePositions)
        /// As `upTo`, and no record from there on is applied until then. A partition that is being restored goes on.
        case halted(TablePositions)
    }

    let waiting = WaitingQuestions()
    /// Question events that are done and not in the store yet.
    let rows = TableBatch()
    /// The store's questions are filled from their topic up to the group's committed offset; from there on by the
    /// lane's events.
    var history = CatchUp()
    var marking = Marking.all
    /// End of the queue when the current publication began.
    var publishUpTo: UInt64 = 0
    /// Whether the group's committed offset is beyond all events that this lane and its store know: the partition is
    /// taken over again.
    var lacksEvents = false
    let omissions = OmissionDigests()
    var withheld = WithheldQuestions()
    /// Questions that a change made too large, with dead letters in the current transaction.
    var lettered: [[UInt8]] = []
    /// Questions that a change made too large, with dead letters that are published: to be marked as refused in the
    /// store. They outlive a store that loses its changes.
    var toMark: [[UInt8]] = []

    /// Questions read from their topic that are long enough to be too large with their answers. `Lane.noteLettered`
    /// notes their published dead letters once the tables are restored. Bounded: beyond the bound a dead letter may be
    /// published again.
    private(set) var large: [[UInt8]] = []
    /// Least size of a question in `large`: bytes of key, value and headers.
    private let largeFrom: Int
    private static let mostLarge = 10_000
    /// Upper bound of the bytes that an enriched value without answers and the worker's own headers add.
    private static let envelope = 512

    init(limits: RecordLimits) { largeFrom = min(limits.maxRecordBytes, limits.maxMessageBytes) - Self.envelope }

    /// Remembers a question read from its topic, if it is long.
    /// - Parameter headers: packed.
    func noteRead(_ key: Bytes, _ value: Bytes, headers: Int) {
        // A header takes at most twice its packed size in a record.
        guard key.count + value.count + 2 * headers >= largeFrom, large.count < Self.mostLarge else { return }
        large.append(Array(key))
    }

    func forgetLarge() { large.removeAll() }

    /// Positions from which the tables must be read again, as changes from there on were not noted; nil: all are noted.
    var unmarked: TablePositions? {
        switch marking {
        case .all: nil
        case .upTo(let positions), .halted(let positions): positions
        }
    }

    var isHalted: Bool {
        if case .halted = marking { true } else { false }
    }

    /// Whether questions wait to be published, or to be found by reading again.
    var isBehind: Bool { !waiting.isEmpty || unmarked != nil }

    /// Limit of the committed offsets; nil: nothing waits.
    var heldPositions: TablePositions? {
        guard let held = waiting.heldPositions else { return unmarked }
        guard let unmarked else { return held }
        return TablePositions(answers: min(held.answers, unmarked.answers), votes: min(held.votes, unmarked.votes))
    }

    /// Forgets waiting and uncommitted changes, after an abort: reading from the committed offsets finds them again.
    func forget() {
        waiting.removeAll()
        rows.removeAll()
        marking = .all
        omissions.removeAll()
        withheld.aborted()
        lettered.removeAll()
    }
}

/// Decides when a lane publishes waiting questions. All questions that wait when the window ends are published
/// together, so that the tables' offsets can be committed up to where they have been read.
struct PublishWindow {
    enum State {
        /// No question waits.
        case closed
        /// Questions wait until the window's end. The oldest may have waited before the window began.
        case open(since: ContinuousClock.Instant, oldest: ContinuousClock.Instant)
        /// The questions that waited when it began are being published.
        case publishing(oldest: ContinuousClock.Instant, began: ContinuousClock.Instant)
    }

    /// Bounds of one step's publication, so that events are not kept waiting.
    static let bounds = (records: 2048, bytes: 4 << 20)

    let length: Duration
    var state = State.closed
    /// Whether the next questions to wait have waited before: with another owner of the partition, or before an abort.
    var isResumed = false
    /// When the log last warned that the window does not hold.
    private var warned: ContinuousClock.Instant?

    init(length: Duration) { self.length = length }

    /// Whether to log that the window does not hold: once a minute.
    mutating func isToWarn() -> Bool {
        if let warned, .now - warned < .seconds(60) { return false }
        warned = .now
        return true
    }

    /// Closes the window after an abort: waiting questions are forgotten and found again.
    mutating func restart() {
        state = .closed
        isResumed = true
    }

    /// Opens the window for the first waiting questions.
    /// - Parameter age: of the oldest change, by its record's timestamp. It counts where the question has waited
    ///   before, so that restarts do not delay its publication.
    mutating func open(age: @autoclosure () -> Duration) {
        let since = ContinuousClock.now - (isResumed ? min(max(.zero, age()), length) : .zero)
        isResumed = false
        state = .open(since: since, oldest: since)
    }

    var isPublishing: Bool {
        if case .publishing = state { true } else { false }
    }

    /// Time since which the oldest change has waited.
    var oldest: ContinuousClock.Instant? {
        switch state {
        case .closed: nil
        case .open(_, let oldest), .publishing(let oldest, _): oldest
        }
    }

    /// Milliseconds that a lane may wait for events.
    /// - Parameter milliseconds: the wait without a window.
    func wait(_ milliseconds: Int32) -> Int32 {
        switch state {
        case .publishing: return 0
        case .closed:
            // Changes are noticed when the lane looks at its tables.
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

/// The header that gives the cause of a record that no question event led to.
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

/// The metadata committed with a table's offset, as text: `letters=17` where dead letters of records below 17 are
/// published for good, though the changes from the smaller, committed offset on are not.
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
