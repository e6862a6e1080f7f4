import Enrichment
import KafkaClient

/// The mismatches found while one partition is taken over.
struct OffsetSurvey {
    private let check: OffsetCheck
    private let noted: [TopicPartition: Int64]
    /// The group's offsets; in place of a missing one, the offset at which work resumes.
    private(set) var committed: [TopicPartition: Int64]
    private(set) var resets: [OffsetReset] = []
    /// The mismatch of the questions; nil: there is none.
    private(set) var questions: OffsetReset?

    /// - Parameter noted: the group's offsets as this worker last noted them.
    init(committed: [TopicPartition: Int64], noted: [TopicPartition: Int64], check: OffsetCheck) {
        self.committed = committed
        self.noted = noted
        self.check = check
    }

    /// Checks against the brokers alone, before the store is opened, which takes long.
    mutating func lookAtGroup(
        _ questions: TopicPartition, _ span: (low: Int64, high: Int64), tables: [TopicPartition],
        _ ends: [(low: Int64, high: Int64)]
    ) {
        self.questions = check.questions(
            questions, committed: committed[questions], noted: noted[questions], span: span)
        if let reset = self.questions { resets.append(reset) }
        for (place, span) in zip(tables, ends) where committed[place] == nil {
            guard let reset = check.table(place, committed: nil, noted: noted[place], applied: 0, span: span) else {
                continue
            }
            committed[place] = reset.to
            resets.append(reset)
        }
    }

    /// The mismatch that may pass by itself; nil: there is none.
    var doubtful: OffsetReset? { resets.first { $0.reason != .belowStart } }

    /// Checks the store's positions in the tables.
    mutating func lookAtStore(_ tables: [(place: TopicPartition, applied: Int64, span: (low: Int64, high: Int64))]) {
        for table in tables {
            guard
                let reset = check.table(
                    table.place, committed: committed[table.place], noted: nil, applied: table.applied, span: table.span
                )
            else { continue }
            resets.append(reset)
        }
    }
}
