import KafkaClient

/// A fault of a published record.
package enum VerificationFault: String, Sendable, CaseIterable {
    /// A question event was processed, but has neither a record nor a dead letter.
    case missing
    /// Published more than once.
    case doubled
    /// Differs from the record remade from the event and the tables of that time.
    case wrong
    /// Follows the record of a later event of its partition.
    case outOfOrder = "out-of-order"
    /// Is its question's last, and lacks changes of the tables that the group has committed.
    case stale
}

/// The reason why a record could not be judged.
package enum UnjudgedReason: String, Sendable, CaseIterable {
    /// It has no header `rejoinder.from`.
    case noHeader
    /// The output topic is compacted, and holds a later record of the question.
    case compacted
    /// The output topic's retention has passed.
    case expired
    /// The questions topic no longer has its event.
    case sourceGone
    /// The tables do not reach as far as the record says.
    case tablesGone

    /// For people.
    package var text: String {
        switch self {
        case .noHeader: "have no header rejoinder.from (publish.fromHeader was off)"
        case .compacted: "may have been compacted away: a later record of the question is there"
        case .expired: "are older than the oldest record of the output topic"
        case .sourceGone: "come of events that their topic has no more"
        case .tablesGone: "were made from table records that are not there any more"
        }
    }
}

/// The result of a verification.
package struct VerificationReport: Sendable, Equatable {
    /// One fault, with its place and the details for people.
    package struct Finding: Sendable, Equatable {
        /// The kind, by which findings are counted.
        package var fault: VerificationFault
        /// The question event.
        package var place: TopicPartition
        /// Of the question event.
        package var offset: Int64
        /// The event's key, for people.
        package var key: String
        /// Details for people, such as a diff; may be empty.
        package var lines: [String]

        /// `questions [3] at offset 17, question q-4711: wrong`
        package var title: String { "\(place) at offset \(offset), question \(key): \(fault.rawValue)" }
    }

    /// The number of findings of each fault whose text is kept.
    static let kept = 1000

    /// Question events that had been processed.
    package var events = 0
    /// Enriched records of these events.
    package var records = 0
    /// Dead letters of these events.
    package var deadLetters = 0
    /// Enriched records that were remade.
    package var remade = 0
    /// Table records read for it.
    package var tableRecords = 0
    /// Counts by kind, findings without a kept text included.
    package private(set) var faults: [VerificationFault: Int] = [:]
    private(set) var unjudged: [UnjudgedReason: Int] = [:]
    /// At most 1000 of each kind.
    package private(set) var findings: [Finding] = []
    /// The verified partitions.
    package var partitions: [TopicPartition] = []
    /// Of the whole verification.
    package var elapsed = Duration.zero
    /// It was told to stop: partitions may be missing, or judged in part.
    package var wasStopped = false

    /// Of a verification that has judged no record.
    package init() {}

    /// The number of findings of a kind.
    package subscript(fault: VerificationFault) -> Int { faults[fault] ?? 0 }
    /// The number of records that could not be judged, by reason.
    package subscript(reason: UnjudgedReason) -> Int { unjudged[reason] ?? 0 }

    /// - Parameter allowsDoubles: whether records may be published more than once, as `at-least-once` allows.
    package func isClean(allowsDoubles: Bool = false) -> Bool {
        VerificationFault.allCases.allSatisfy { self[$0] == 0 || (allowsDoubles && $0 == .doubled) }
    }

    mutating func add(_ finding: Finding) {
        faults[finding.fault, default: 0] += 1
        if self[finding.fault] <= Self.kept { findings.append(finding) }
    }

    mutating func add(_ reason: UnjudgedReason, _ count: Int = 1) {
        if count > 0 { unjudged[reason, default: 0] += count }
    }

    /// Adds the report of another partition.
    mutating func merge(_ other: VerificationReport) {
        events += other.events
        records += other.records
        deadLetters += other.deadLetters
        remade += other.remade
        for finding in other.findings { add(finding) }
        // Counts the findings whose text is not kept.
        for (fault, count) in other.faults {
            let told = other.findings.count { $0.fault == fault }
            faults[fault, default: 0] += count - told
        }
        for (reason, count) in other.unjudged { add(reason, count) }
    }

    /// A JUnit report for CI servers: a test case for each fault of each partition.
    package func junit(suite: String) -> String {
        var comparison = ComparisonReport()
        for place in partitions {
            for fault in VerificationFault.allCases {
                let label = QuestionLabel(topic: place.description, key: fault.rawValue)
                comparison.labels.append(label)
                let lines = findings.filter { $0.place == place && $0.fault == fault }.flatMap { finding in
                    [finding.title] + finding.lines.map { "  " + $0 }
                }
                if !lines.isEmpty { comparison.differences.append(.init(label: label, lines: lines)) }
            }
        }
        return comparison.junit(suite: suite)
    }
}
