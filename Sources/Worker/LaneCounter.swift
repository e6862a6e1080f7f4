/// One counter of ``LaneTotals``: its names, and the rule by which it is counted. Two families of counters stand
/// outside of this table, since they have tables already: dead letters by code (``Records/RecordErrorCode``), and
/// offset resets by topic and reason (``OffsetResetReason``).
package struct LaneCounter: Sendable {
    /// The counter's place in ``LaneTotals``.
    package typealias Total = WritableKeyPath<LaneTotals, Int> & Sendable

    /// The effect of an abort on the counter.
    package enum Scope: Sendable {
        /// Counted when it is committed; an abort takes it back.
        case committed
        /// Counted when it happens; an abort takes nothing back.
        case immediate
    }

    /// Where the counter stands among a throughput line's fields and a report's figures.
    package enum Group: Sendable {
        /// Records and bytes in and out, which have rates, too.
        case flow
        /// Table records, attached answers, changes, records of sources.
        case content
        /// Commits, aborts, rebalances, throttling.
        case steps
    }

    /// A counter in the throughput log.
    package struct Field: Sendable {
        /// Its name in JSON and CSV; never renamed.
        package let name: String
        /// Decides the field's place in the line.
        package let group: Group
        /// For a report: a noun phrase.
        package let title: String
        /// Whether each lane's part of the line has it.
        package var isOfLanes = false
        /// Whether less of it is better in itself.
        package var isTrouble = false
    }

    /// A series of `/metrics`.
    package struct Metric: Sendable {
        /// The family's name, ending in `_total`; never renamed.
        package let name: String
        /// A sentence, the same for all series of a family.
        package let help: String
        /// Names and values of the series' labels, by the configured topics.
        package var labels: @Sendable (TopicNames) -> [(String, String)] = { _ in [] }
        /// The factor from the counter's unit to the metric's.
        package var scale = 1.0
    }

    /// The property that the lane increments.
    package let total: Total
    /// The effect of an abort.
    package let scope: Scope
    /// nil: the log does not have it.
    package let field: Field?
    /// nil: `/metrics` does not have it.
    package let metric: Metric?

    private init(_ total: Total, _ scope: Scope, _ field: Field? = nil, _ metric: Metric? = nil) {
        self.total = total
        self.scope = scope
        self.field = field
        self.metric = metric
    }

    private static func consumed(_ topic: @escaping @Sendable (TopicNames) -> String) -> Metric {
        Metric(
            name: "rejoinder_records_consumed_total",
            help:
                "Records of the input topics that were worked on, invalid ones included, counted when they are "
                + "committed.",
            labels: { [("topic", topic($0))] })
    }

    private static func consumedBytes(_ topic: @escaping @Sendable (TopicNames) -> String) -> Metric {
        Metric(
            name: "rejoinder_consumed_bytes_total", help: "Bytes of these records' values.",
            labels: { [("topic", topic($0))] })
    }

    private static func applied(_ table: String) -> Metric {
        Metric(
            name: "rejoinder_table_records_applied_total",
            help: "Records of the answers and votes topics that were applied to the stores.",
            labels: { _ in [("table", table)] })
    }

    private static func republished(_ cause: String) -> Metric {
        Metric(
            name: "rejoinder_republications_total",
            help:
                "Enriched records published because an answer or a vote changed them, by the table of the first "
                + "change.",
            labels: { _ in [("cause", cause)] })
    }

    /// In the order in which a throughput line has them.
    package static let all: [LaneCounter] = [
        LaneCounter(
            \.recordsIn, .committed,
            Field(name: "recordsIn", group: .flow, title: "question events in", isOfLanes: true),
            consumed { $0.questions }),
        LaneCounter(
            \.bytesIn, .committed, Field(name: "bytesIn", group: .flow, title: "bytes in"),
            consumedBytes { $0.questions }),
        LaneCounter(
            \.recordsOut, .committed,
            Field(name: "recordsOut", group: .flow, title: "enriched records out", isOfLanes: true),
            Metric(
                name: "rejoinder_records_published_total",
                help: "Records published to the output topics, counted when they are committed.",
                labels: { [("topic", $0.enriched)] })),
        LaneCounter(
            \.bytesOut, .committed, Field(name: "bytesOut", group: .flow, title: "bytes out"),
            Metric(
                name: "rejoinder_published_bytes_total",
                help: "Bytes of the enriched values among them, before compression.",
                labels: { [("topic", $0.enriched)] })),
        LaneCounter(
            \.tableAnswers, .immediate,
            Field(name: "answers", group: .content, title: "answers applied to tables", isOfLanes: true),
            applied("answers")),
        LaneCounter(
            \.tableVotes, .immediate,
            Field(name: "votes", group: .content, title: "votes applied to tables", isOfLanes: true),
            applied("votes")),
        LaneCounter(\.tableBytes, .immediate),
        LaneCounter(
            \.answersRead, .committed, Field(name: "answersRead", group: .content, title: "answer records read"),
            consumed { $0.answers }),
        LaneCounter(
            \.votesRead, .committed, Field(name: "votesRead", group: .content, title: "vote records read"),
            consumed { $0.votes }),
        LaneCounter(\.answerBytesRead, .committed, nil, consumedBytes { $0.answers }),
        LaneCounter(\.voteBytesRead, .committed, nil, consumedBytes { $0.votes }),
        LaneCounter(
            \.answersAttached, .committed,
            Field(name: "answersAttached", group: .content, title: "answers attached"),
            Metric(name: "rejoinder_answers_attached_total", help: "Answers in enriched records.")),
        LaneCounter(
            \.answersOmitted, .committed,
            Field(name: "answersOmitted", group: .content, title: "answers omitted for size"),
            Metric(name: "rejoinder_answers_omitted_total", help: "Answers that enriched records had no room for.")),
        LaneCounter(
            \.questionsWithoutAnswers, .committed,
            Field(name: "questionsWithoutAnswers", group: .content, title: "questions without answers"),
            Metric(
                name: "rejoinder_questions_without_answers_total",
                help: "Enriched records of questions that no answer was stored for.")),
        LaneCounter(
            \.republishedByAnswers, .committed,
            Field(name: "republishedByAnswers", group: .content, title: "records published again because of answers"),
            republished("answers")),
        LaneCounter(
            \.republishedByVotes, .committed,
            Field(name: "republishedByVotes", group: .content, title: "records published again because of votes"),
            republished("votes")),
        LaneCounter(
            \.unseenChanges, .committed,
            Field(name: "unseenChanges", group: .content, title: "changes that published nothing"),
            Metric(
                name: "rejoinder_unseen_changes_total",
                help: "Changes of questions that waited to be published and changed nothing that is published.")),
        LaneCounter(
            \.sourceRecords, .committed,
            Field(name: "sourceRecords", group: .content, title: "source records in", isOfLanes: true),
            Metric(
                name: "rejoinder_source_records_total",
                help:
                    "Records of the sources that were worked on, dead letters included, counted when they are "
                    + "committed."
            )),
        LaneCounter(
            \.sourceBytes, .committed, nil,
            Metric(name: "rejoinder_source_bytes_total", help: "Bytes of these records' keys and values.")),
        LaneCounter(
            \.sourceRecordsPublished, .committed,
            Field(
                name: "sourceRecordsPublished", group: .content, title: "questions, answers and votes from sources",
                isOfLanes: true),
            Metric(
                name: "rejoinder_source_records_published_total",
                help: "Questions, answers and votes that source records became, published to the input topics.")),
        LaneCounter(
            \.sourceRecordsPassedOver, .committed,
            Field(name: "sourceRecordsPassedOver", group: .content, title: "source records passed over"),
            Metric(
                name: "rejoinder_source_records_passed_over_total",
                help: "Source records that no mapping takes, or that leave nothing to do.")),
        LaneCounter(
            \.sourceVotesWaited, .committed,
            Field(name: "sourceVotesWaited", group: .content, title: "source votes kept until their answers came"),
            Metric(
                name: "rejoinder_source_votes_waited_total",
                help: "Votes of the sources that came before their answers, and are kept until those come.")),
        LaneCounter(
            \.commits, .immediate,
            Field(name: "commits", group: .steps, title: "transactions committed", isOfLanes: true),
            Metric(name: "rejoinder_commits_total", help: "Commits that came through.")),
        LaneCounter(
            \.aborts, .immediate,
            Field(name: "aborts", group: .steps, title: "transactions aborted", isOfLanes: true, isTrouble: true),
            Metric(
                name: "rejoinder_aborts_total",
                help: "Steps that were undone because something failed, to be done again.")),
        LaneCounter(
            \.rebalances, .immediate,
            Field(name: "rebalances", group: .steps, title: "rebalances", isTrouble: true),
            Metric(
                name: "rejoinder_rebalances_total",
                help: "Times that the group gave partitions to a lane or took some from it.")),
        LaneCounter(
            \.throttledMilliseconds, .immediate,
            Field(
                name: "throttledMilliseconds", group: .steps, title: "milliseconds that quotas delayed answers",
                isTrouble: true),
            Metric(
                name: "rejoinder_throttled_seconds_total",
                help: "By how much brokers' quotas have delayed answers to the worker's clients.", scale: 0.001)),
    ]

    /// Counters that the throughput log has, with their fields.
    package static let logged: [(total: Total, field: Field)] = all.compactMap { counter in
        counter.field.map { (counter.total, $0) }
    }
}
