import Monitoring

/// An enriched record as its readers take it apart.
struct EnrichedQuestion: Decodable {
    struct Author: Decodable {
        var displayName: String?
        var profession: String?
        var specialty: String?
        var location: String?
        var rating: Double?
        var reviewCount: Int?
    }

    struct Question: Decodable {
        var id: String
        var title: String
        var body: String?
        var author: Author?
    }

    struct Answer: Decodable {
        var title: String?
        var body: String?
        var author: Author?
    }

    struct Ranked: Decodable {
        var answer: Answer
        var voteCount: Int
        var voteLabel: String
    }

    var question: Question
    var answers: [Ranked]
    var answerCount: Int
    var answersOmitted: Int?
}

/// An enriched record the way a question's page would show it, for a terminal.
struct EnrichedPage {
    private static let width = 96

    let question: EnrichedQuestion

    var text: String {
        var lines = ["", "\(question.question.title)", String(repeating: "=", count: Self.width)]
        if let body = question.question.body { lines += Self.wrapped(body, indent: 0) }
        lines += ["", heading]
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

    /// "Doctor Answers 3" where all who answer share a profession, else "Answers 3".
    private var heading: String {
        let professions = Set(question.answers.map { $0.answer.author?.profession })
        if professions.count == 1, let profession = professions.first ?? nil {
            return "\(profession.prefix(1).uppercased() + profession.dropFirst()) Answers \(question.answerCount)"
        }
        return "Answers \(question.answerCount)"
    }

    private static func line(for author: EnrichedQuestion.Author?) -> String {
        guard let author else { return "anonymous" }
        var parts = [author.displayName ?? "anonymous"]
        parts += [author.profession, author.specialty, author.location].compactMap { $0 }
        var line = parts.joined(separator: ", ")
        if let rating = author.rating {
            line += " · \(FigureText.tenths(rating)) out of 5"
        }
        if let reviews = author.reviewCount { line += " · \(reviews) review\(reviews == 1 ? "" : "s")" }
        return line
    }

    /// Breaks a text at spaces, and shows what would move the cursor as what it is.
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
