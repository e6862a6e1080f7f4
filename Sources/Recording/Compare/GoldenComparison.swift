import Foundation
import Records

/// Compares a replay's outputs with an earlier replay's, question by question, while they come.
///
/// The two are read side by side: as long as they are equal, bytes are compared and nothing is kept. Where they differ, or have
/// the questions in another order, records wait until their partners come. Offsets do not count, the order of one question's
/// records in one topic does. Not Sendable.
package final class GoldenComparison: ReplaySink {
    /// What may wait before questions are told to differ without waiting for more of their records.
    private static let maxWaitingBytes = 64 << 20

    private struct Question: Hashable {
        var topic: String
        var key: [UInt8]?
    }

    private let golden: RecordingReader
    private let diff: RecordDiff
    private let isCompared: (ReplayOutput.Kind) -> Bool
    private let isTopicCompared: (Bytes) -> Bool
    /// Differences of which the text is kept.
    private let maxDescribed: Int
    private let listsQuestions: Bool

    private var report = ComparisonReport()
    private var waiting: [Question: QuestionSequence] = [:]
    /// The hashes of what waits.
    private var waitingHashes: Set<Int> = []
    private var waitingBytes = 0
    private var isAtEnd = false
    /// The hashes (64 bits, keyed anew in each process) of the questions that were met, so that it stays small.
    private var known: Set<Int> = []
    private var found: [(order: Int, label: QuestionLabel, lines: [String])] = []
    private var differing: Set<Question> = []
    private var sequence = 0
    /// What is ignored and was not met yet.
    private var unused: [IgnoredPath]
    /// Records that were looked at for it.
    private var examined = 0
    private static let maxExamined = 1_000
    /// From so many waiting bytes on, pairs are told without waiting; raised when that makes no room, so that it is not tried at
    /// every record.
    private var conclusionLimit = GoldenComparison.maxWaitingBytes

    /// - Parameters:
    ///   - golden: the earlier output.
    ///   - ignoring: what is left out of the comparison.
    ///   - only: the topic that is compared, and its name; nil: both.
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
        // As long as nothing of their question waits, equal neighbours need no copy.
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
        // A question's further differences stand under its first.
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

    // MARK: - What waits

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

    /// Whether a record has what is to be ignored.
    private func look(at record: RecordedRecord) {
        let tree = record.value.flatMap { JSONTreeReader.read($0) }
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

    /// Tells the differences of what waits with a partner, to make room.
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
        // Only the first ones are told, and sorting now and then keeps those.
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

    /// Everything but the offset, and what says of what kind the timestamp is: a file need not tell.
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
