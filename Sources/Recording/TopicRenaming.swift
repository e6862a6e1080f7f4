/// Renames topics by replacing prefixes: `prod.=test.`.
package struct TopicRenaming: Sendable, Equatable {
    private struct Rule: Sendable, Equatable {
        let old: String
        let new: String
    }

    private var rules: [Rule] = []

    /// Every topic keeps its name.
    package init() {}

    /// Whether every topic keeps its name.
    package var isEmpty: Bool { rules.isEmpty }

    /// - Parameter texts: rules `OLD=NEW`: the prefix OLD of a name becomes NEW. An empty OLD puts NEW before every
    ///   name.
    /// - Throws: ``CaptureError`` for a malformed rule.
    package init(_ texts: [String]) throws(CaptureError) {
        for text in texts {
            let parts = text.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] != parts[1] else {
                throw CaptureError(
                    .usage,
                    "cannot rename topics by '\(text)'; give the old and the new beginning of the names, such as "
                        + "prod.=test."
                )
            }
            rules.append(Rule(old: String(parts[0]), new: String(parts[1])))
        }
    }

    /// Applies the first matching rule; without a match the topic keeps its name.
    package func apply(to name: String) -> String {
        guard let rule = rules.first(where: { name.hasPrefix($0.old) }) else { return name }
        return rule.new + name.dropFirst(rule.old.count)
    }
}
