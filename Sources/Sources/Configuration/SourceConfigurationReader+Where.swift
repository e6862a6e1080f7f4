import Yams

/// Reads `where:`.
extension SourceConfigurationReader {
    mutating func readConditions(_ node: Node?) -> [RowCondition] {
        guard let node, !Self.isNull(node) else { return [] }
        guard case .mapping(let mapping) = node else {
            report(
                "where in \(place(node)) must hold columns and their values, as in 'where: { post_type: answer }'"
                    + (node.sequence == nil ? "." : "; it is no list: all of its lines have to hold."))
            return []
        }
        return mapping.compactMap { readCondition($0.key, $0.value) }
    }

    private mutating func readCondition(_ key: Node, _ value: Node) -> RowCondition? {
        if value.scalar == nil, let word = scalar(key), let advice = Self.connectives[word.lowercased()],
            value.sequence?.contains(where: { $0.scalar == nil }) ?? true
        {
            report("where in \(place(key)) has \(excerpt(word)): \(advice).")
            return nil
        }
        guard let path = rowPath(key, "where") else { return nil }
        let label = "where \(path.text)"
        note(line: key, of: label)
        guard case .mapping(let inner) = value else {
            return RowCondition(path: path, allowed: ValueSet(values: values(value, path, label)))
        }
        guard inner.count == 1, let excluded = inner["not"] else {
            reportOperator(inner.first { $0.key.string != "not" }?.key ?? key, path, label)
            return nil
        }
        return RowCondition(path: path, allowed: ValueSet(values: values(excluded, path, label), isNegated: true))
    }

    private static let connectives = [
        "and": "all lines of where: have to hold anyway; write them one below the other",
        "all": "all lines of where: have to hold anyway; write them one below the other",
        "or": "where: has no alternatives between columns; several values of one column are a list, as in "
            + "'kind: [question, poll]', and else write a second entry for the topic",
        "any": "where: has no alternatives between columns; several values of one column are a list, as in "
            + "'kind: [question, poll]', and else write a second entry for the topic",
        "not": "not: stands below a column, as in 'kind: { not: question }'",
    ]

    /// The values of a condition. A text that looks like an operator is taken as it is in a list alone.
    private mutating func values(_ node: Node, _ path: RowPath, _ label: String) -> [ScalarText] {
        if case .scalar(let text) = node, text.style == .folded || text.style == .literal {
            report(
                "\(label) in \(place(node)) holds a block of text, which > and | begin in YAML; "
                    + "\(ConditionWord.comparesNothing)."
            )
        } else if let text = scalar(node), let word = ConditionWord(text) {
            report("\(label) in \(place(node)) is \(excerpt(text)): \(word.advice(column: path.text, text)).")
        }
        return scalars(node, label)
    }

    private mutating func reportOperator(_ key: Node, _ path: RowPath, _ label: String) {
        let name = key.string ?? ""
        guard let word = ConditionWord(operator: name) else { return unknown(key, "where", ["not"]) }
        report("unknown key \(excerpt(name)) under \(label) in \(place(key)): \(word.advice(column: path.text, nil)).")
    }
}
