import Bytes

/// The demands of a whole recording on its target topics.
struct RecordingSurvey: Equatable {
    struct Topic: Equatable {
        /// As recorded, without the prefix.
        var name: String
        var records = 0
        var highestPartition: Int32 = 0
        /// The oldest timestamp, in milliseconds since 1970; nil when no record has one.
        var oldest: Int64?
        /// Records older than the target's retention.
        var beyondRetention = 0
        /// Records recorded in another partition than their keys hash to in the target.
        var misplaced = 0
        /// Bytes of the largest record: key, value, headers.
        var largestRecord = 0
    }

    /// Reasons to doubt that the recording is whole.
    var warnings: [String] = []
    /// In the order of their first records.
    private(set) var topics: [Topic] = []
    private(set) var records = 0
    private(set) var bytes = 0
    /// Records whose timestamp is 0, which no producer on librdkafka can write: it takes 0 for "now".
    private(set) var timestampsOfZero = 0
    private(set) var recordsWithoutTimestamp = 0
    /// Oldest and newest timestamp.
    private(set) var span: ClosedRange<Int64>?
    /// The first timestamp above 0: the pace begins there.
    private(set) var firstTimestamp: Int64?

    var largestRecord: Int { topics.map(\.largestRecord).max() ?? 0 }

    /// Adds a topic. Its records are added by the returned index.
    mutating func addTopic(_ name: String) -> Int {
        topics.append(Topic(name: name))
        return topics.count - 1
    }

    /// - Parameters:
    ///   - byteCount: of key, value and headers.
    ///   - oldestKept: the first timestamp that the target keeps; nil: all.
    ///   - isMisplaced: its key hashes to another partition of the target.
    mutating func add(
        topic index: Int, partition: Int32, timestamp: Int64?, byteCount: Int, oldestKept: Int64?,
        isMisplaced: Bool = false
    ) {
        records += 1
        bytes += byteCount
        topics[index].records += 1
        if isMisplaced { topics[index].misplaced += 1 }
        topics[index].highestPartition = max(topics[index].highestPartition, partition)
        topics[index].largestRecord = max(topics[index].largestRecord, byteCount)
        guard let timestamp else {
            recordsWithoutTimestamp += 1
            return
        }
        if timestamp == 0 {
            timestampsOfZero += 1
            return
        }
        span = span.map { min($0.lowerBound, timestamp)...max($0.upperBound, timestamp) } ?? timestamp...timestamp
        if firstTimestamp == nil, timestamp > 0 { firstTimestamp = timestamp }
        topics[index].oldest = min(topics[index].oldest ?? timestamp, timestamp)
        if let oldestKept, timestamp < oldestKept { topics[index].beyondRetention += 1 }
    }
}

/// Finds a record's topic among the known ones, without making a string.
struct TopicIndex {
    private var names: [[UInt8]] = []
    private var last = 0

    /// The topic's index; nil for an unknown topic.
    mutating func find(_ name: Bytes) -> Int? {
        if last < names.count, names[last].elementsEqual(name) { return last }
        guard let index = names.firstIndex(where: { $0.elementsEqual(name) }) else { return nil }
        last = index
        return index
    }

    mutating func add(_ name: [UInt8]) { names.append(name) }
}
