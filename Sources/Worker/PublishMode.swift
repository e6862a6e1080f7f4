/// When enriched records are published.
package enum PublishMode: Sendable, Equatable {
    /// With each question event alone: one record for each event.
    case questions
    /// Also when an answer or a vote changes the enriched value of a question that was asked and not deleted: at most
    /// one record per question and `coalesce`.
    case changes(coalesce: Duration)

    /// The names of the modes in the configuration.
    package static let names = ["questions", "changes"]

    /// The value of `publish.on` in the configuration.
    package var name: String {
        switch self {
        case .questions: Self.names[0]
        case .changes: Self.names[1]
        }
    }

    /// nil: published records do not follow changes.
    package var coalesce: Duration? {
        if case .changes(let coalesce) = self { coalesce } else { nil }
    }
}
