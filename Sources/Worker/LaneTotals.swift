import Records

/// Counters of a lane, monotonic over its life; rates are the reader's matter.
///
/// Records that were read, and their results, are counted when they are committed, so that a record which is worked on
/// again after an abort counts once. Records applied to the stores are counted when they are applied.
///
/// A new counter is a property here and a row in ``LaneCounter/all``: the log's writer and reader, sums, `/metrics`,
/// the CSV, the report and the schema's test walk the table.
package struct LaneTotals: Sendable, Equatable {
    /// Question events worked on, invalid ones included.
    package var recordsIn = 0
    /// Bytes of these events' values.
    package var bytesIn = 0
    /// Records published to the enriched topic, null values of deleted questions included.
    package var recordsOut = 0
    /// Bytes of these records' values.
    package var bytesOut = 0
    /// Answers in the published records.
    package var answersAttached = 0
    /// Question events for which no visible answer was stored.
    package var questionsWithoutAnswers = 0
    /// Answers left out of published records for their length.
    package var answersOmitted = 0
    /// Applied to the stores.
    package var tableAnswers = 0
    /// Votes applied to the stores.
    package var tableVotes = 0
    /// Bytes of the applied table records.
    package var tableBytes = 0
    /// Read from the tables' topics, whether they were valid and whether the store had them already.
    package var answersRead = 0
    /// Read from the votes' topic, whether they were valid and whether the store had them already.
    package var votesRead = 0
    /// Bytes of the ``answersRead`` values.
    package var answerBytesRead = 0
    /// Bytes of the ``votesRead`` values.
    package var voteBytesRead = 0
    /// Records of the sources that a source lane has worked on, and their bytes, key and value.
    package var sourceRecords = 0
    /// Bytes of these records, keys included.
    package var sourceBytes = 0
    /// Questions, answers and votes that source records became.
    package var sourceRecordsPublished = 0
    /// Source records that no mapping takes, or that leave nothing to do.
    package var sourceRecordsPassedOver = 0
    /// Votes that came before their answers.
    package var sourceVotesWaited = 0
    /// Dead letters published, of all inputs of the lane.
    package var deadLetters = DeadLetterCounts()
    /// Enriched records published because an answer or a vote changed them, by the table of the first change.
    package var republishedByAnswers = 0
    /// Enriched records published because a vote changed them first.
    package var republishedByVotes = 0
    /// Changes of questions that waited and changed nothing that is published.
    package var unseenChanges = 0
    /// Successful commits: transactions, or offset commits after a flush.
    package var commits = 0
    /// Aborted transactions.
    package var aborts = 0
    /// Answers to the group that partitions were given or taken.
    package var rebalances = 0
    /// By how much brokers' quotas have delayed answers to the lane's clients.
    package var throttledMilliseconds = 0
    /// Positions that did not match their logs.
    package var offsetResets = OffsetResetCounts()

    /// All 0.
    package init() {}

    /// Takes back the counts since these totals, which an abort has made void.
    mutating func takeBack(to committed: LaneTotals) {
        for counter in LaneCounter.all where counter.scope == .committed {
            self[keyPath: counter.total] = committed[keyPath: counter.total]
        }
        deadLetters = committed.deadLetters
    }

    /// Sums counter by counter.
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
    /// In the order of ``Records/RecordErrorCode``.
    package private(set) var byCode: [Int] = Array(repeating: 0, count: RecordErrorCode.allCases.count)

    /// All 0.
    package init() {}

    /// The number of one code's dead letters.
    package subscript(code: RecordErrorCode) -> Int {
        get { byCode[RecordErrorCode.allCases.firstIndex(of: code) ?? 0] }
        set { byCode[RecordErrorCode.allCases.firstIndex(of: code) ?? 0] = newValue }
    }

    /// Dead letters of all codes.
    package var total: Int { byCode.reduce(0, +) }
}
