import Records

/// Counters of a lane, monotonic over its life; rates are the reader's matter.
///
/// Records that were read, and their results, are counted when they are committed, so that a record which is worked on
/// again after an abort counts once. Records applied to the stores are counted when they are applied.
///
/// A new counter is a property here and a row in ``LaneCounter/all``: the log's writer and reader, sums, `/metrics`,
/// the CSV, the report and the schema's test walk the table.
package struct LaneTotals: Sendable, Equatable {
    package var recordsIn = 0
    package var bytesIn = 0
    package var recordsOut = 0
    package var bytesOut = 0
    package var answersAttached = 0
    package var questionsWithoutAnswers = 0
    package var answersOmitted = 0
    /// Applied to the stores.
    package var tableAnswers = 0
    package var tableVotes = 0
    package var tableBytes = 0
    /// Read from the tables' topics, whether they were valid and whether the store had them already.
    package var answersRead = 0
    package var votesRead = 0
    package var answerBytesRead = 0
    package var voteBytesRead = 0
    /// Records of the sources that a source lane has worked on, and their bytes, key and value.
    package var sourceRecords = 0
    package var sourceBytes = 0
    /// Questions, answers and votes that source records became.
    package var sourceRecordsPublished = 0
    /// Source records that no mapping takes, or that leave nothing to do.
    package var sourceRecordsPassedOver = 0
    /// Votes that came before their answers.
    package var sourceVotesWaited = 0
    package var deadLetters = DeadLetterCounts()
    /// Enriched records published because an answer or a vote changed them, by the table of the first change.
    package var republishedByAnswers = 0
    package var republishedByVotes = 0
    /// Changes of questions that waited and changed nothing that is published.
    package var unseenChanges = 0
    package var commits = 0
    package var aborts = 0
    package var rebalances = 0
    /// By how much brokers' quotas have delayed answers to the lane's clients.
    package var throttledMilliseconds = 0
    /// Positions that did not match their logs.
    package var offsetResets = OffsetResetCounts()

    package init() {}

    /// Takes back the counts since these totals, which an abort has made void.
    mutating func takeBack(to committed: LaneTotals) {
        for counter in LaneCounter.all where counter.scope == .committed {
            self[keyPath: counter.total] = committed[keyPath: counter.total]
        }
        deadLetters = committed.deadLetters
    }

    package static func + (one: LaneTotals, other: LaneTotals) -> LaneTotals { one.combined(with: other, by: &+) }

    /// Growth since `other`.
    package static func - (one: LaneTotals, other: LaneTotals) -> LaneTotals { one.combined(with: other, by: &-) }

    private func combined(with other: LaneTotals, by operation: (Int, Int) -> Int) -> LaneTotals {
        var result = LaneTotals()
        for counter in LaneCounter.all {
            result[keyPath: counter.total] = operation(self[keyPath: counter.total], other[keyPath: counter.total])
        }
        for code in RecordErrorCode.allCases {
            result.deadLetters[code] = operation(deadLetters[code], other.deadLetters[code])
        }
        for topic in 0..<OffsetResetCounts.topics {
            for reason in OffsetResetReason.allCases {
                result.offsetResets[topic, reason] = operation(
                    offsetResets[topic, reason], other.offsetResets[topic, reason])
            }
        }
        return result
    }
}

/// Dead letters by code.
package struct DeadLetterCounts: Sendable, Equatable {
    package private(set) var byCode: [Int] = Array(repeating: 0, count: RecordErrorCode.allCases.count)

    package init() {}

    package subscript(code: RecordErrorCode) -> Int {
        get { byCode[RecordErrorCode.allCases.firstIndex(of: code) ?? 0] }
        set { byCode[RecordErrorCode.allCases.firstIndex(of: code) ?? 0] = newValue }
    }

    package var total: Int { byCode.reduce(0, +) }
}
