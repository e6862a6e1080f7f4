/// The worker's state in words, made once a second in the worker: the page, `top`, `/readyz`, the log and reports show it as it
/// is, so that they never differ.
package struct Verdict: Sendable, Equatable {
    /// In order of gravity: of several that hold the first is told.
    package enum Kind: String, Sendable, CaseIterable {
        /// No broker answers.
        case unreachable
        /// Some lane has no place in the group.
        case joining
        /// Work is there, and nothing is committed.
        case stalled
        /// Records become dead letters.
        case deadLetters = "dead-letters"
        /// Answers and votes of partitions are read first.
        case restoring
        /// The lag is not known yet.
        case unknown
        /// Records wait for longer than the freshness objective.
        case behind
        case keepingUp = "keeping-up"
        case idle
    }

    package enum Tone: String, Sendable {
        case good
        case fair
        case bad
        case restoring
    }

    package var kind: Kind
    package var tone: Tone
    /// A few words, the same while the state is the same: "Falling behind".
    package var title: String
    /// One sentence without its full stop, which begins with the title.
    package var line: String
    /// Causes and figures, in sentences; may be empty.
    package var more: String
    /// The heading of docs/operating.md that says what to do, as its anchor; nil where nothing is to be done.
    package var runbook: String?
}
