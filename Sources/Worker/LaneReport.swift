import Histogram
import KafkaClient
import Records
import Synchronization

/// What a lane has done since it began. Totals only ever grow; rates are the reader's matter.
package struct LaneTotals: Sendable, Equatable {
    package var recordsIn = 0
    package var bytesIn = 0
    package var recordsOut = 0
    package var bytesOut = 0
    package var answersAttached = 0
    package var questionsWithoutAnswers = 0
    package var answersOmitted = 0
    package var tableAnswers = 0
    package var tableVotes = 0
    package var tableBytes = 0
    package var deadLetters = DeadLetterCounts()
    package var commits = 0
    package var aborts = 0
    package var rebalances = 0

    package init() {}
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

/// How far a lane is behind in one partition.
package struct PartitionLag: Sendable, Equatable {
    package var place: TopicPartition
    package var records: Int64
}

/// A lane's state as others may see it: published by the lane after each commit and now and then when idle, read by
/// whoever watches. The one thing a lane shares; its lock is taken once a step, never once a record.
package final class LaneReport: Sendable {
    package struct Content: Sendable {
        package var totals = LaneTotals()
        package var lags: [PartitionLag] = []
        package var partitions: [Int32] = []
        package var restoring: [Int32] = []
        /// From a record's poll to the acknowledgement of what came of it, in microseconds, since the last `take`.
        package var latency = Histogram<UInt32>(
            highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .two)
        /// When the lane last turned.
        package var turned = ContinuousClock.now
    }

    package let lane: Int
    private let content = Mutex(Content())

    package init(lane: Int) {
        self.lane = lane
    }

    func update(_ change: (inout Content) -> Void) {
        content.withLock { change(&$0) }
    }

    /// What is there now.
    package var current: Content { content.withLock { $0 } }

    /// What is there now; the latencies begin anew.
    package func take() -> Content {
        content.withLock { content in
            let taken = content
            content.latency.reset()
            return taken
        }
    }
}
