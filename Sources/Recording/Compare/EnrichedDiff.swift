/// Differences of two enriched values, told in terms of their answers.
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

    /// nil where the values are not both enriched ones with ids that tell their answers apart.
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
        // Everything but the answers; equal trees say nothing.
        var found = false
        let answers: [ArraySlice<IgnoredPath.Step>] = [[.member("answers")]]
        lines += TreeDiff.lines(
            expected.leavingOut(answers, found: &found), actual.leavingOut(answers, found: &found))
        return lines
    }

    private static func count(of answer: JSONNode) -> String {
        answer["voteCount"].map { ", voteCount \($0.summary)" } ?? ""
    }

    /// The count first, then whatever else.
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
        // The answer's own fields by their names alone: `author.rating`, not `answer.author.rating`.
        if let old = left["answer"], let new = right["answer"] {
            lines += TreeDiff.lines(old, new).map { "\(label): \($0)" }
            var found = false
            left = left.leavingOut([[.member("answer")]], found: &found)
            right = right.leavingOut([[.member("answer")]], found: &found)
        }
        return lines + TreeDiff.lines(left, right).map { "\(label): \($0)" }
    }

    /// Which answers went to another place among those that both values have. As few as explain the new order, and of those
    /// the ones whose count has changed.
    private func moves(_ after: [String: Answer]) -> [String] {
        let common = was.compactMap { answer in after[answer.id].map { (was: answer, now: $0) } }
        guard zip(common, common.dropFirst()).contains(where: { $0.now.place > $1.now.place }) else { return [] }
        let staying = Self.heaviestOrder(common)
        return common.indices.filter { !staying.contains($0) }.map { index in
            let (old, new) = common[index]
            return "answer \(Excerpt.text(old.id)) moved from place \(old.place) to place \(new.place)"
        }
    }

    /// The pairs that keep their order among each other: as many as can be, rather those whose count is the same.
    private static func heaviestOrder(_ pairs: [(was: Answer, now: Answer)]) -> Set<Int> {
        // The time grows with the square; nobody reads a diff of so many.
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
