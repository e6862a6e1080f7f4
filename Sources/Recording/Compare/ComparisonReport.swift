/// The result of a comparison.
package struct ComparisonReport: Sendable, Equatable {
    /// A question whose records differ, with a diff for people.
    struct Difference: Sendable, Equatable {
        var label: QuestionLabel
        /// Empty when only the number of differences is kept.
        var lines: [String]
    }

    /// Records in the replay's output, and the distinct questions, counted per topic. Questions that only the golden
    /// file has are included.
    package var records = 0
    /// Distinct questions by topic.
    package var questions = 0
    /// In the order in which the questions were first met.
    var differences: [Difference] = []
    /// The number of differing questions beyond `differences`.
    var furtherDifferences = 0
    /// Every question, in order; only on request.
    var labels: [QuestionLabel] = []

    /// Ignored paths that none of the searched records contained.
    package var unusedPaths: [String] = []

    /// Questions whose records differ, are missing or are in excess.
    package var differing: Int { differences.count + furtherDifferences }
    /// Whether replay and golden file hold the same records, but for the ignored paths.
    package var isEqual: Bool { differing == 0 }

    /// The differences for people.
    /// - Parameter limit: the number of questions shown in full.
    package func text(showing limit: Int = 20) -> String {
        var lines: [String] = []
        for difference in differences.prefix(limit) {
            lines.append("question \(difference.label.key) (\(difference.label.topic))")
            lines += difference.lines.map { "  " + $0 }
        }
        let rest = differing - min(limit, differences.count)
        if rest > 0 { lines.append("and \(rest) more \(rest == 1 ? "question" : "questions") that differ") }
        return lines.joined(separator: "\n")
    }

    /// A JUnit report for CI servers: a test case for every question.
    package func junit(suite: String) -> String {
        let failures = Dictionary(
            differences.map { (Self.name(of: $0.label), $0.lines.joined(separator: "\n")) },
            uniquingKeysWith: { first, _ in first })
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        let counts = "tests=\"\(labels.count)\" failures=\"\(differing)\" errors=\"0\""
        text += "<testsuites \(counts)>\n  <testsuite name=\"\(Self.escaped(suite))\" \(counts)>\n"
        for label in labels {
            text += "    <testcase classname=\"\(Self.escaped(label.topic))\" name=\"\(Self.escaped(label.key))\""
            guard let failure = failures[Self.name(of: label)] else {
                text += "/>\n"
                continue
            }
            let first = failure.split(separator: "\n").first.map(String.init) ?? "differs"
            text += ">\n      <failure message=\"\(Self.escaped(first.trimmingPrefix { $0 == " " }))\">"
            text += "\(Self.escaped(failure))</failure>\n    </testcase>\n"
        }
        return text + "  </testsuite>\n</testsuites>\n"
    }

    private static func name(of label: QuestionLabel) -> String { "\(label.topic) \(label.key)" }

    /// `Excerpt` has already escaped characters that XML 1.0 cannot hold, in every text here except the suite's name.
    private static func escaped(_ text: some StringProtocol) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "&#10;"
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
