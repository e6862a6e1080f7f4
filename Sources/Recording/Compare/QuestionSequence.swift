/// Records of one question in one output topic, in their order, whose differences are to be described.
struct QuestionSequence {
    let expected: [RecordedRecord]
    let actual: [RecordedRecord]
    /// Whether the question is known to have other records: then a difference is told with its event.
    let hasOthers: Bool

    /// The differences for people; none when only ignored parts differ.
    func lines(_ diff: RecordDiff) -> [String] {
        var lines: [String] = []
        let tellsEvent = hasOthers || max(expected.count, actual.count) > 1
        for pair in Self.align(expected, actual, byTime: !diff.ignoresTimestamps) {
            switch pair {
            case (let was?, let now?):
                let differences = diff.lines(expected: was, actual: now)
                guard !differences.isEmpty else { continue }
                if tellsEvent {
                    lines.append("record of the event of \(Excerpt.time(now.timestamp)):")
                    lines += differences.map { "  " + $0 }
                } else {
                    lines += differences
                }
            case (let was?, nil):
                lines.append("missing: \(Self.summary(of: was))")
            case (nil, let now?):
                lines.append("extra: \(Self.summary(of: now))")
            case (nil, nil): continue
            }
        }
        return lines
    }

    private static func summary(of record: RecordedRecord) -> String {
        var what = "a deletion"
        if let value = record.value {
            let code = record.headers.first { $0.name == "rejoinder.error.code" }.map { Excerpt.bytes($0.value) }
            let count = JSONNode(value)?["answerCount"].map { "\($0.summary) answers" }
            what = code.map { "a dead letter (\($0))" } ?? count.map { "a record with \($0)" } ?? "a record"
        }
        return "\(what), event of \(Excerpt.time(record.timestamp)), partition \(record.partition)"
    }

    /// Pairs records that came from the same event: of the same time, in their order. Between two such pairs, the rest
    /// is paired in order; a record without a partner is missing or extra.
    private static func align(
        _ expected: [RecordedRecord], _ actual: [RecordedRecord], byTime: Bool
    ) -> [(RecordedRecord?, RecordedRecord?)] {
        var pairs: [(RecordedRecord?, RecordedRecord?)] = []
        var (left, right) = (0, 0)
        func pairUp(to leftEnd: Int, _ rightEnd: Int) {
            while left < leftEnd || right < rightEnd {
                pairs.append((left < leftEnd ? expected[left] : nil, right < rightEnd ? actual[right] : nil))
                left = min(left + 1, leftEnd)
                right = min(right + 1, rightEnd)
            }
        }
        // With equal numbers of records none is missing: their order pairs them.
        if byTime, expected.count != actual.count, expected.count * actual.count <= 4_000_000 {
            for anchor in anchors(expected.map(\.timestamp), actual.map(\.timestamp)) {
                pairUp(to: anchor.left, anchor.right)
                pairUp(to: anchor.left + 1, anchor.right + 1)
            }
        }
        pairUp(to: expected.count, actual.count)
        return pairs
    }

    /// A longest common subsequence.
    private static func anchors(_ left: [Int64?], _ right: [Int64?]) -> [(left: Int, right: Int)] {
        let width = right.count + 1
        var lengths = [Int32](repeating: 0, count: (left.count + 1) * width)
        for i in left.indices.reversed() {
            for j in right.indices.reversed() {
                lengths[i * width + j] =
                    left[i] == right[j]
                    ? lengths[(i + 1) * width + j + 1] + 1
                    : max(lengths[(i + 1) * width + j], lengths[i * width + j + 1])
            }
        }
        var anchors: [(left: Int, right: Int)] = []
        var (i, j) = (0, 0)
        while i < left.count, j < right.count {
            if left[i] == right[j] {
                anchors.append((i, j))
                i += 1
                j += 1
            } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
                i += 1
            } else {
                j += 1
            }
        }
        return anchors
    }
}

/// A question in an output topic, for people.
struct QuestionLabel: Sendable, Equatable {
    var topic: String
    /// The key as text, or its bytes when it is not UTF-8.
    var key: String
}
