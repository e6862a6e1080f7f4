import Bytes
import Foundation

/// Compares a replay's outputs with an earlier replay's, question by question, while they arrive.
///
/// The two are read side by side: while they are equal, bytes are compared and none are kept. Where they differ, or
/// have the questions in another order, one of two partners is copied and waits for the other. Only differences are
/// decoded and described. Offsets do not count; the order of one question's records in one topic does. Not Sendable.
package final class GoldenComparison: ReplaySink {
    /// Bytes of waiting records above which questions are reported as different without waiting for more of their
    /// records.
    private static let maxWaitingBytes = 64 << 20

    private let golden: RecordingReader
    private let diff: RecordDiff
    private let isCompared: (ReplayOutput.Kind) -> Bool
    private let isTopicCompared: (Bytes) -> Bool
    /// The number of differences whose text is kept.
    private let maxDescribed: Int
    private let listsQuestions: Bool

    private var report = ComparisonReport()
    private var waiting: [QuestionKey: WaitingQuestion] = [:]
    private var waitingBytes = 0
    /// The present record, when it is not equal to its neighbour.
    private var image = RecordImage()
    private var isAtEnd = false
    /// Hashes of the questions met, to save memory: 64 bits each, with a new seed in each process.
    private var known: Set<Int> = []
    private var found: [(order: Int, label: QuestionLabel, lines: [String])] = []
    private var differing: Set<QuestionKey> = []
    private var sequence = 0
    /// Ignored paths that no record has contained yet.
    private var unused: [IgnoredPath]
    /// Records searched for these paths.
    private var examined = 0
    private static let maxExamined = 1_000
    /// Waiting bytes above which pairs are reported without waiting. Raised when that frees too little, so that it is
    /// not tried at every record.
    private var conclusionLimit = GoldenComparison.maxWaitingBytes
    /// Records that were copied to wait for their partners.
    private(set) var keptCount = 0
    /// Records that were decoded to describe a difference.
    private(set) var decodedCount = 0

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

    /// Compares the output with the golden file's next record, which it reads for it.
    /// - Throws: ``RecordingError`` for a bad golden file.
    package func take(_ output: ReplayOutput) throws {
        guard isCompared(output.kind) else { return }
        report.records += 1
        let isNext = try readGolden()
        if !unused.isEmpty, examined < Self.maxExamined {
            examined += 1
            look(at: output.copy())
        }
        var topic = output.topic
        topic.withUTF8 { image.begin(topic: Bytes($0), key: output.key) }
        // While no record of their question waits, equal neighbours need no copy.
        if isNext, Self.areSame(output, golden.view), waiting.isEmpty || waiting[image.question] == nil {
            meet(image.questionHash)
            return
        }
        image.end(output)
        add(isExpected: false)
        if isNext { addGolden() }
    }

    /// Reads the rest of the golden file.
    package func finish() throws -> ComparisonReport {
        while try readGolden() { addGolden() }
        for (question, entry) in waiting { conclude(question, entry, count: .max) }
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

    private func addGolden() {
        image.begin(topic: golden.view.topic, key: golden.view.key)
        image.end(golden.view)
        add(isExpected: true)
    }

    /// Counts the record's question when it is a new one.
    private func meet(_ questionHash: Int) {
        if known.insert(questionHash).inserted, listsQuestions { report.labels.append(image.label) }
    }

    /// Compares the present record with its waiting partner, or lets it wait.
    private func add(isExpected: Bool) {
        let question = image.question
        meet(question.hash)
        sequence += 1
        guard let entry = waiting[question] else {
            let entry = WaitingQuestion(order: sequence)
            waiting[question] = entry
            wait(in: entry, isExpected)
            return
        }
        if let size = entry.settle(image, isExpected: isExpected) {
            waitingBytes -= size
            if entry.isSettled { waiting[question] = nil }
        } else {
            wait(in: entry, isExpected)
        }
    }

    private func wait(in entry: WaitingQuestion, _ isExpected: Bool) {
        keptCount += 1
        waitingBytes += entry.append(image.copy, isExpected: isExpected)
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
        for (question, entry) in waiting where entry.pairCount > 0 {
            conclude(question, entry, count: entry.pairCount)
            if entry.isSettled { waiting[question] = nil }
        }
    }

    /// Reports the differences of the first `count` waiting records of each side and removes these records.
    private func conclude(_ question: QuestionKey, _ entry: WaitingQuestion, count: Int) {
        guard let label = entry.label else { return }
        let sequence = entry.remove(count, freed: &waitingBytes)
        decodedCount += sequence.expected.count + sequence.actual.count
        if !unused.isEmpty { for record in sequence.actual + sequence.expected { look(at: record) } }
        let lines = sequence.lines(diff)
        guard !lines.isEmpty else { return }
        differing.insert(question)
        found.append((entry.order, label, lines))
        // Only the first differences are reported; sorting from time to time keeps those.
        if found.count > 4 * maxDescribed + 1000 {
            found.sort { $0.order < $1.order }
            found.removeSubrange((2 * maxDescribed)...)
        }
    }

    // MARK: - Equality

    private static func areSame(_ output: ReplayOutput, _ view: RecordedView) -> Bool {
        guard output.partition == view.partition, output.timestamp == view.timestamp,
            areSame(output.key, view.key), areSame(output.value, view.value),
            output.headers.isEmpty != view.hasHeaders
        else { return false }
        var topic = output.topic
        guard topic.withUTF8({ Bytes($0).isEqual(to: view.topic) }) else { return false }
        return output.headers.isEmpty || output.headers == view.headers
    }

    private static func areSame(_ left: Bytes?, _ right: Bytes?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return left.isEqual(to: right)
    }
}
