import Admin

/// An enriched record for a terminal, laid out like a question's page.
struct EnrichedPage {
    private static let width = 96

    let question: EnrichedQuestion

    var text: String {
        var lines = ["", question.question.title ?? "", String(repeating: "=", count: Self.width)]
        if let body = question.question.body { lines += Self.wrapped(body, indent: 0) }
        lines += ["", question.heading]
        for ranked in question.answers {
            let label = String(repeating: " ", count: max(0, 6 - ranked.voteLabel.count)) + ranked.voteLabel
            let texts = [ranked.answer.title, ranked.answer.body].compactMap { $0 }
            lines.append("")
            for (index, line) in texts.flatMap({ Self.wrapped($0, indent: 8) }).enumerated() {
                lines.append(index == 0 ? label + line.dropFirst(label.count) : line)
            }
            if texts.isEmpty { lines.append(label) }
            lines.append("        -- " + Self.line(for: ranked.answer.author))
        }
        if let omitted = question.answersOmitted { lines += ["", "        (\(omitted) more not shown)"] }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func line(for author: EnrichedQuestion.Author?) -> String {
        guard let author else { return "anonymous" }
        let name = author.displayName ?? "anonymous"
        return ([([name] + author.origin).joined(separator: ", ")] + author.reputation).joined(separator: " · ")
    }

    /// Breaks a text at spaces, and escapes characters that would move the cursor.
    private static func wrapped(_ text: String, indent: Int) -> [String] {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var line = margin
            for word in Printable.text(String(paragraph), limit: .max).split(separator: " ") {
                if line.count > indent && line.count + 1 + word.count > width {
                    lines.append(line)
                    line = margin
                }
                line += (line.count > indent ? " " : "") + word
            }
            lines.append(line)
        }
        return lines
    }
}
