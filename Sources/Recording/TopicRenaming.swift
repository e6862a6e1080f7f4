/// What topics are called elsewhere: beginnings of names that become others, `prod.=test.`.
package struct TopicRenaming: Sendable, Equatable {
    private struct Rule: Sendable, Equatable {
        let old: String
        let new: String
    }

    private var rules: [Rule] = []

    /// Every topic keeps its name.
    package init() {}

    package var isEmpty: Bool { rules.isEmpty }

    /// - Parameter texts: each `OLD=NEW`: a name that begins with OLD begins with NEW instead. An empty OLD puts NEW before
    ///   every name.
    /// - Throws: ``CaptureError`` for a text that is none.
    package init(_ texts: [String]) throws(CaptureError) {
        for text in texts {
            let parts = text.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] != parts[1] else {
                throw CaptureError(
                    .usage,
                    "cannot rename topics by '\(text)'; say what names begin with and shall begin with, such as prod.=test."
                )
            }
            rules.append(Rule(old: String(parts[0]), new: String(parts[1])))
        }
    }

    /// The first rule that fits counts; a topic that none fits keeps its name.
    package func apply(to name: String) -> String {
        guard let rule = rules.first(where: { name.hasPrefix($0.old) }) else { return name }
        return rule.new + name.dropFirst(rule.old.count)
    }
}
