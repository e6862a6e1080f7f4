/// The worker's state in words, made by the worker once a second. The page, `top`, `/readyz`, the log and reports show
/// it unchanged, so that they never differ.
package struct Verdict: Sendable, Equatable {
    /// By severity, the most severe first; of several that apply, a verdict has the first.
    package enum Kind: String, Sendable, CaseIterable {
        /// No broker answers.
        case unreachable
        /// One of the worker's topics was deleted while it runs.
        case topicMissing = "topic-missing"
        /// Some lane has not turned for a minute.
        case stuck
        /// Some lane has no place in the group.
        case joining
        /// Lanes have work and commit nothing.
        case stalled
        /// Records become dead letters.
        case deadLetters = "dead-letters"
        /// Answers and votes of partitions, or the index of the sources, are being restored.
        case restoring
        /// The lag is not known yet.
        case unknown
        /// Records wait for longer than the freshness objective.
        case behind
        case keepingUp = "keeping-up"
        case idle
    }

    /// The colour of a kind, for pages and terminals.
    package enum Tone: String, Sendable {
        case good
        case fair
        case bad
        case restoring
    }

    /// The most severe that applies.
    package var kind: Kind
    /// Of the kind; where a kind may be mild or severe, of its degree.
    package var tone: Tone
    /// A few words, constant while the state is the same: "Falling behind".
    package var title: String
    /// One sentence without its full stop, which begins with the title.
    package var line: String
    /// Causes and figures, in sentences; may be empty.
    package var more: String
    /// Anchor of the remedy's heading in docs/operating.md; nil where no action is needed.
    package var runbook: String?
}
