import KafkaClient

/// Why work cannot resume at the last position: the log has changed, or the group has lost the offset.
package enum OffsetResetReason: String, Sendable, CaseIterable {
    /// The position is beyond the log's end: the log was cut (unclean election, restored backup), or the topic
    /// recreated.
    case beyondEnd = "beyond-end"
    /// The records from the position to the log's start are gone (retention, deleted records).
    case belowStart = "below-start"
    /// The group has lost the offset that this worker committed: expired (`offsets.retention.minutes`), or deleted.
    case missing
}

/// The worker's reaction to offsets that do not match their partition's log.
package enum OffsetMismatchPolicy: String, Sendable, CaseIterable {
    /// Ends the worker with a sentence, before a record of the partition is published.
    case stop
    /// Logs it, counts it, and resumes at the nearest position.
    case `continue`
}

/// A position that does not match its partition's log, and the position at which work resumes.
package struct OffsetReset: Sendable, Equatable {
    /// The input's topic and partition.
    package var place: TopicPartition
    /// The mismatch.
    package var reason: OffsetResetReason
    /// The position that does not match.
    package var from: Int64
    /// The position at which work resumes.
    package var to: Int64
    /// The log as it is: first offset and end.
    package var low: Int64
    /// The log's end.
    package var high: Int64

    /// A clause for people: the mismatch.
    var finding: String {
        switch reason {
        case .beyondEnd: "offset \(from) was committed, and its log ends at \(high)"
        case .belowStart:
            "offset \(from) comes next, and its log begins at \(low): up to \(low - from) records are gone"
        case .missing:
            "no offset is committed, though this worker has committed \(from): it expired or was deleted"
        }
    }

    /// A clause for people: the cause, the consequence of going on, and the remedy.
    var advice: String {
        let cause =
            switch reason {
            case .beyondEnd:
                "its log was cut (an unclean election, a restored backup) or the topic was made anew, and going on "
                    + "publishes again the records from \(to) on"
            case .belowStart: "the deleted records were never worked on; the worker goes on at \(to)"
            case .missing:
                "the worker goes on at \(to), and publishes again the records that other workers have published since"
            }
        return cause + "; set the group's offset by hand (kafka-consumer-groups.sh --reset-offsets), or run once with "
            + "offsets.onMismatch: continue (--offsets-on-mismatch continue)"
    }
}

/// Compares positions with logs. Kafka itself would apply `auto.offset.reset` silently.
struct OffsetCheck {
    /// Whether a reset without a usable position goes to the log's end, as the consumer's `auto.offset.reset` says.
    let resetsToEnd: Bool

    /// - Parameter autoOffsetReset: the property of the group's consumer.
    init(autoOffsetReset: String?) {
        resetsToEnd = ["latest", "largest", "end"].contains(autoOffsetReset ?? "")
    }

    /// - Parameters:
    ///   - committed: the group's offset; nil: it has none.
    ///   - noted: the group's offset as this worker noted it when it last committed; nil: it never did.
    ///   - span: first offset and end of the log.
    /// - Returns: nil where they match; nothing committed and nothing noted is a fresh start.
    func questions(
        _ place: TopicPartition, committed: Int64?, noted: Int64?, span: (low: Int64, high: Int64)
    ) -> OffsetReset? {
        let fallback = resetsToEnd ? span.high : span.low
        func reset(_ reason: OffsetResetReason, from: Int64, to: Int64) -> OffsetReset {
            OffsetReset(place: place, reason: reason, from: from, to: to, low: span.low, high: span.high)
        }
        if let committed {
            if committed > span.high { return reset(.beyondEnd, from: committed, to: fallback) }
            if committed < span.low { return reset(.belowStart, from: committed, to: span.low) }
            return nil
        }
        guard let noted else { return nil }
        let isInLog = (span.low...max(span.low, span.high)).contains(noted)
        return reset(.missing, from: noted, to: isInLog ? noted : noted < span.low ? span.low : fallback)
    }

    /// Checks a table, as ``questions(_:committed:noted:span:)`` the questions. `applied` is the store's own position,
    /// 0 for an empty store.
    ///
    /// An empty store reads its log from the start, so a log that does not begin at 0 is no mismatch for it.
    func table(
        _ place: TopicPartition, committed: Int64?, noted: Int64?, applied: Int64, span: (low: Int64, high: Int64)
    ) -> OffsetReset? {
        func reset(_ reason: OffsetResetReason, from: Int64, to: Int64) -> OffsetReset {
            OffsetReset(place: place, reason: reason, from: from, to: to, low: span.low, high: span.high)
        }
        let farthest = max(applied, committed ?? 0)
        if farthest > span.high { return reset(.beyondEnd, from: farthest, to: span.low) }
        if applied > 0, applied < span.low { return reset(.belowStart, from: applied, to: span.low) }
        if committed == nil, let noted, noted > 0 {
            return reset(.missing, from: noted, to: max(span.low, min(noted, span.high)))
        }
        return nil
    }
}

/// Offset resets by input topic and reason.
package struct OffsetResetCounts: Sendable, Equatable {
    /// The input topics in the order of ``TopicNames/inputs`` (questions, answers, votes), then the sources' as one.
    package static let topics = 4
    /// The index of the sources' counts.
    package static let sources = 3
    private var counts = Array(repeating: 0, count: OffsetResetCounts.topics * OffsetResetReason.allCases.count)

    /// All 0.
    package init() {}

    /// - Parameter topic: its index among ``TopicNames/inputs``, or ``sources``.
    package subscript(topic: Int, reason: OffsetResetReason) -> Int {
        get { counts[place(topic, reason)] }
        set { counts[place(topic, reason)] = newValue }
    }

    /// Resets of all topics and reasons.
    package var total: Int { counts.reduce(0, +) }

    private func place(_ topic: Int, _ reason: OffsetResetReason) -> Int {
        topic * OffsetResetReason.allCases.count + (OffsetResetReason.allCases.firstIndex(of: reason) ?? 0)
    }
}
