import Bytes
import Foundation

/// Compares a replay's outputs with an earlier replay's, question by question, while they arrive.
///
/// The two are read side by side: while they are equal, bytes are compared and none are kept. Where they differ, or
/// have the questions in another order, records wait until their partners arrive. Offsets do not count; the order of
/// one question's records in one topic does. Not Sendable.
package final class GoldenComparison: ReplaySink {
    /// Bytes of waiting records above which questions are reported as different without waiting for more of their
    /// records.
    private static let maxWaitingBytes = 64 << 20

    private struct Question: Hashable {
        var topic: String
        var key: [UInt8]?
    }

    private let golden: RecordingReader
    private let diff: RecordDiff
    private let isCompared: (ReplayOutput.Kind) -> Bool
    private let isTopicCompared: (Bytes) -> Bool
    /// The number of differences whose text is kept.
    private let maxDescribed: Int
    private let listsQuestions: Bool

    private var report = ComparisonReport()
    private var waiting: [Question: QuestionSequence] = [:]
    /// The hashes of the waiting questions.
    private var waitingHashes: Set<Int> = []
    private var waitingBytes = 0
    private var isAtEnd = false
    /// Hashes of the questions met, to save memory: 64 bits each, with a new seed in each process.
    private var known: Set<Int> = []
    private var found: [(order: Int, label: QuestionLabel, lines: [String])] = []
    private var differing: Set<Question> = []
    private var sequence = 0
    /// Ignored paths that no record has contained yet.
    private var unused: [IgnoredPath]
    /// Records searched for these paths.
    private var examined = 0
    private static let maxExamined = 1_000
    /// Waiting bytes above which pairs are reported without waiting. Raised when that frees too little, so that it is
    /// not tried at every record.
    private var conclusionLimit = GoldenComparison.maxWaitingBytes

    /// - Parameters:
    ///   - golden: the earlier output.
    ///   - ignoring: parts of records to leave out of the comparison.
    ///   - only: the one kind of output to compare, and its topic's name; nil: both kinds.
    ///   - listsQuestions: whether the report names every question and has the text of (nearly) every difference.
    package init(
        golden: RecordingReader, ignoring: [IgnoredPath] = [], only: (kind: ReplayOutput.Kind, topic: String)? = nil,
        listsQuestions: Bool = false
    ) {
        self.golden = golden
        diff = RecordDiff(ignoring: ignoring)
        unused = ignoring
        if let only {
            let name = Array(only.topic.utf8)
            isCompared = { $0 == only.kind }
            isTopicCompared = { name.elementsEqual($0) }
        } else {
            isCompared = { _ in true }
            isTopicCompared = { _ in true }
        }
        self.listsQuestions = listsQuestions
        maxDescribed = listsQuestions ? 10_000 : 20
    }

    package func take(_ output: ReplayOutput) throws {
        guard isCompared(output.kind) else { return }
        report.records += 1
        let isNext = try readGolden()
        if !unused.isEmpty, examined < Self.maxExamined {
            examined += 1
            look(at: output.copy())
        }
        // While no record of their question waits, equal neighbours need no copy.
        if isNext, Self.areSame(output, golden.view) {
            let hash = Self.hash(topic: output.topic, key: output.key)
            if !waitingHashes.contains(hash) {
                if known.insert(hash).inserted, listsQuestions { report.labels.append(QuestionLabel(output.copy())) }
                return
            }
        }
        add(output.copy(), isExpected: false)
        if isNext { add(golden.view.copy(), isExpected: true) }
    }

    /// Reads the rest of the golden file.
    package func finish() throws -> ComparisonReport {
        while try readGolden() { add(golden.view.copy(), isExpected: true) }
        for (question, sequence) in waiting { conclude(question, sequence) }
        waiting.removeAll()
        found.sort { $0.order < $1.order }
        report.questions = known.count
        report.unusedPaths = unused.map(\.text)
        // Merges a question's later differences into its first.
        var places: [String: Int] = [:]
        for difference in found {
            let name = "\(difference.label.topic) \(difference.label.key)"
            if let place = places[name] {
                report.differences[place].lines += difference.lines
            } else if report.differences.count < maxDescribed {
                places[name] = report.differences.count
                report.differences.append(.init(label: difference.label, lines: difference.lines))
            }
        }
        report.furtherDifferences = differing.count - report.differences.count
        return report
    }

    /// - Returns: false at the end.
    private func readGolden() throws -> Bool {
        while !isAtEnd {
            guard try golden.advance() else {
                isAtEnd = true
                return false
            }
            if isTopicCompared(golden.view.topic) { return true }
        }
        return false
    }

    // MARK: - Waiting records

    private func add(_ record: RecordedRecord, isExpected: Bool) {
        let question = Question(topic: record.topic, key: record.key)
        sequence += 1
        let hash = Self.hash(question)
        if known.insert(hash).inserted, listsQuestions { report.labels.append(QuestionLabel(record)) }
        var entry =
            waiting.removeValue(forKey: question) ?? QuestionSequence(label: QuestionLabel(record), order: sequence)
        waitingBytes += Self.size(of: record)
        if isExpected { entry.expected.append(record) } else { entry.actual.append(record) }
        let before = Self.size(of: entry)
        entry.dropEqualFront()
        waitingBytes -= before - Self.size(of: entry)
        if entry.isSettled {
            waitingHashes.remove(hash)
        } else {
            waiting[question] = entry
            waitingHashes.insert(hash)
        }
        if waitingBytes > conclusionLimit {
            concludePairs()
            conclusionLimit = max(Self.maxWaitingBytes, waitingBytes + waitingBytes / 2)
        }
    }

    /// Removes from `unused` the ignored paths that the record contains.
    private func look(at record: RecordedRecord) {
        let tree = record.value.flatMap { JSONNode($0) }
        unused.removeAll { path in
            switch path.part {
            case .timestamp, .partition, .headers: return true
            case .header(let name): return record.headers.contains { $0.name == name }
            case .value(let steps):
                var isFound = false
                _ = tree?.leavingOut([steps[...]], found: &isFound)
                return isFound
            }
        }
    }

    /// Reports the differences of waiting records that have a partner, to free memory.
    private func concludePairs() {
        for (question, entry) in waiting where !entry.expected.isEmpty && !entry.actual.isEmpty {
            let count = min(entry.expected.count, entry.actual.count)
            var (told, rest) = (entry, entry)
            told.expected = Array(entry.expected[..<count])
            told.actual = Array(entry.actual[..<count])
            rest.expected.removeFirst(count)
            rest.actual.removeFirst(count)
            rest.equalPairs += count
            conclude(question, told)
            waitingBytes -= Self.size(of: told)
            waiting[question] = rest.isSettled ? nil : rest
            if rest.isSettled { waitingHashes.remove(Self.hash(question)) }
        }
    }

    private func conclude(_ question: Question, _ entry: QuestionSequence) {
        if !unused.isEmpty { for record in entry.actual + entry.expected { look(at: record) } }
        let lines = entry.lines(diff)
        guard !lines.isEmpty else { return }
        differing.insert(question)
        found.append((entry.order, entry.label, lines))
        // Only the first differences are reported; sorting from time to time keeps those.
        if found.count > 4 * maxDescribed + 1000 {
            found.sort { $0.order < $1.order }
            found.removeSubrange((2 * maxDescribed)...)
        }
    }

    private static func hash(topic: String, key: Bytes?) -> Int {
        var hasher = Hasher()
        hasher.combine(topic)
        hasher.combine(key == nil)
        if let key { hasher.combine(bytes: key) }
        return hasher.finalize()
    }

    private static func hash(_ question: Question) -> Int {
        guard let key = question.key else { return hash(topic: question.topic, key: nil) }
        return key.withUnsafeBytes { hash(topic: question.topic, key: $0) }
    }

    private static func size(of record: RecordedRecord) -> Int {
        (record.value?.count ?? 0) + (record.key?.count ?? 0) + 200
    }

    private static func size(of entry: QuestionSequence) -> Int {
        entry.expected.reduce(0) { $0 + size(of: $1) } + entry.actual.reduce(0) { $0 + size(of: $1) }
    }

    // MARK: - Equality

    /// Compares all but the offset and the timestamp's type, which a file may omit.
    static func areSame(_ left: RecordedRecord, _ right: RecordedRecord) -> Bool {
        left.topic == right.topic && left.partition == right.partition && left.timestamp == right.timestamp
            && left.key == right.key && left.headers == right.headers && left.value == right.value
    }

    private static func areSame(_ output: ReplayOutput, _ view: RecordedView) -> Bool {
        guard output.partition == view.partition, output.timestamp == view.timestamp,
            areSame(output.key, view.key), areSame(output.value, view.value),
            output.headers.isEmpty != view.hasHeaders
        else { return false }
        var topic = output.topic
        guard topic.withUTF8({ areSame(Bytes($0), view.topic) }) else { return false }
        return output.headers.isEmpty || output.headers == view.headers
    }

    private static func areSame(_ left: Bytes?, _ right: Bytes?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        guard left.count == right.count else { return false }
        guard let leftStart = left.baseAddress, let rightStart = right.baseAddress else { return true }
        return memcmp(leftStart, rightStart, left.count) == 0
    }
}
