/// Differences of two enriched values, described by their answers.
struct EnrichedDiff {
    private struct Answer {
        /// Counted from 1.
        var place: Int
        var id: String
        var node: JSONNode
    }

    private let expected: JSONNode
    private let actual: JSONNode
    private let was: [Answer]
    private let now: [Answer]

    /// nil unless both are enriched values whose answers have distinct ids.
    init?(expected: JSONNode, actual: JSONNode) {
        guard let was = Self.answers(of: expected), let now = Self.answers(of: actual) else { return nil }
        self.expected = expected
        self.actual = actual
        self.was = was
        self.now = now
    }

    private static func answers(of value: JSONNode) -> [Answer]? {
        guard let elements = value["answers"]?.elements else { return nil }
        var answers: [Answer] = []
        for (index, element) in elements.enumerated() {
            guard let id = element["answer"]?["id"]?.text else { return nil }
            answers.append(Answer(place: index + 1, id: id, node: element))
        }
        return Set(answers.map(\.id)).count == answers.count ? answers : nil
    }

    var lines: [String] {
        var lines: [String] = []
        let after = Dictionary(uniqueKeysWithValues: now.map { ($0.id, $0) })
        let before = Set(was.map(\.id))
        for answer in was {
            let label = "answer \(Excerpt.text(answer.id))"
            guard let other = after[answer.id] else {
                lines.append("\(label) is missing (was in place \(answer.place)\(Self.count(of: answer.node)))")
                continue
            }
            lines += Self.changes(of: label, from: answer.node, to: other.node)
        }
        for answer in now where !before.contains(answer.id) {
            lines.append(
                "answer \(Excerpt.text(answer.id)) is extra (is in place \(answer.place)\(Self.count(of: answer.node)))"
            )
        }
        lines += moves(after)
        // Compares the rest of the value; equal trees give no lines.
        var found = false
        let answers: [ArraySlice<IgnoredPath.Step>] = [[.member("answers")]]
        lines += TreeDiff.lines(
            expected.leavingOut(answers, found: &found), actual.leavingOut(answers, found: &found))
        return lines
    }

    private static func count(of answer: JSONNode) -> String {
        answer["voteCount"].map { ", voteCount \($0.summary)" } ?? ""
    }

    /// The vote count first, then the other fields.
    private static func changes(of label: String, from was: JSONNode, to now: JSONNode) -> [String] {
        guard was != now else { return [] }
        var lines: [String] = []
        var left = was
        var right = now
        if let old = was["voteCount"], let new = now["voteCount"], old != new {
            var line = "\(label): voteCount was \(old.summary), is \(new.summary)"
            var told: [ArraySlice<IgnoredPath.Step>] = [[.member("voteCount")]]
            if let oldLabel = was["voteLabel"], let newLabel = now["voteLabel"], oldLabel != newLabel {
                line += " (voteLabel was \(oldLabel.summary), is \(newLabel.summary))"
                told.append([.member("voteLabel")])
            }
            lines.append(line)
            var found = false
            left = was.leavingOut(told, found: &found)
            right = now.leavingOut(told, found: &found)
        }
        // Names the answer's own fields without a prefix: `author.rating`, not `answer.author.rating`.
        if let old = left["answer"], let new = right["answer"] {
            lines += TreeDiff.lines(old, new).map { "\(label): \($0)" }
            var found = false
            left = left.leavingOut([[.member("answer")]], found: &found)
            right = right.leavingOut([[.member("answer")]], found: &found)
        }
        return lines + TreeDiff.lines(left, right).map { "\(label): \($0)" }
    }

    /// The answers in both values that changed places: the fewest that explain the new order, and among equal choices
    /// those whose count has changed.
    private func moves(_ after: [String: Answer]) -> [String] {
        let common = was.compactMap { answer in after[answer.id].map { (was: answer, now: $0) } }
        guard zip(common, common.dropFirst()).contains(where: { $0.now.place > $1.now.place }) else { return [] }
        let staying = Self.heaviestOrder(common)
        return common.indices.filter { !staying.contains($0) }.map { index in
            let (old, new) = common[index]
            return "answer \(Excerpt.text(old.id)) moved from place \(old.place) to place \(new.place)"
        }
    }

    /// The largest set of pairs that keep their relative order; among equal sets, the one with the most unchanged
    /// counts.
    private static func heaviestOrder(_ pairs: [(was: Answer, now: Answer)]) -> Set<Int> {
        // The time grows with the square, and a diff of that many answers is unreadable anyway.
        guard pairs.count <= 3000 else {
            return Set(pairs.indices.filter { pairs[$0].was.place == pairs[$0].now.place })
        }
        var best = [Int](repeating: 0, count: pairs.count)
        var previous = [Int?](repeating: nil, count: pairs.count)
        for index in pairs.indices {
            let (old, new) = pairs[index]
            let weight = 2 * pairs.count + (old.node["voteCount"] == new.node["voteCount"] ? 1 : 0)
            for earlier in 0..<index where pairs[earlier].now.place < new.place && best[earlier] > best[index] {
                best[index] = best[earlier]
                previous[index] = earlier
            }
            best[index] += weight
        }
        var staying: Set<Int> = []
        var index = best.indices.max { best[$0] < best[$1] }
        while let current = index {
            staying.insert(current)
            index = previous[current]
        }
        return staying
    }
}
