import Hummingbird
import Pages

/// `/runbook`: the remedies of docs/operating.md, section Alerts, with the verdict's anchors. For an operator on call
/// who has only the worker's address.
struct Runbook: Sendable {
    private static let policy = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'"

    func addRoutes(to router: Router<AdminRequestContext>) {
        router.get("/runbook") { _, _ in Response.html(.ok, Self.html, policy: Self.policy) }
    }

    /// The section's Markdown.
    static let text = PageFile.runbook.text

    static let html = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>What to do – Rejoinder</title>
        <link rel="icon" href="dashboard/icon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="dashboard/question.css">
        </head>
        <body>
        <header><a href="./">Rejoinder</a></header>
        <main>
        \(body(of: text))
        </main>
        </body>
        </html>

        """

    /// The headings' anchors, in GitHub's form.
    static var anchors: Set<String> {
        Set(
            text.split(separator: "\n").filter { $0.hasPrefix("#") }.map {
                anchor(of: $0.drop { $0 == "#" || $0 == " " })
            })
    }

    private static func anchor(of heading: Substring) -> String {
        heading.lowercased().replacing(" ", with: "-").filter { $0.isLetter || $0.isNumber || $0 == "-" }
    }

    // MARK: - The section's subset of Markdown

    private static func body(of text: String) -> String {
        let blocks = text.split(separator: "\n\n", omittingEmptySubsequences: true)
        return blocks.map { block(String($0)) }.joined(separator: "\n")
    }

    private static func block(_ block: String) -> String {
        let lines = block.split(separator: "\n")
        guard let first = lines.first else { return "" }
        if first.hasPrefix("#") {
            let level = first.prefix { $0 == "#" }.count
            let heading = first.drop { $0 == "#" || $0 == " " }
            return "<h\(level) id=\"\(Markup.escaped(anchor(of: heading)))\">\(inline(heading))</h\(level)>"
        }
        if lines.allSatisfy({ $0.hasPrefix("    ") }) {
            return "<pre>\(lines.map { Markup.escaped($0.dropFirst(4)) }.joined(separator: "\n"))</pre>"
        }
        if first.hasPrefix("|") {
            // The second line is the rule below the heads.
            let rows = lines.enumerated().filter { $0.offset != 1 }.map { index, line in
                let cells = line.dropFirst().split(separator: "|").map { cell in
                    let name = index == 0 ? "th" : "td"
                    return "<\(name)>\(inline(cell))</\(name)>"
                }
                return "<tr>\(cells.joined())</tr>"
            }
            return "<table>\(rows.joined())</table>"
        }
        return "<p class=\"text\">\(inline(lines.joined(separator: " ")[...]))</p>"
    }

    /// Converts code between backticks, emphasis between stars, and links within the page; keeps only the words of
    /// other links.
    private static func inline(_ text: Substring) -> String {
        var result = ""
        for (index, part) in text.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
            result += index % 2 == 1 ? "<code>\(Markup.escaped(part))</code>" : links(in: part)
        }
        return result
    }

    private static func links(in text: Substring) -> String {
        var result = ""
        var rest = text
        while let open = rest.firstIndex(of: "["), let middle = rest.range(of: "]("),
            let close = rest[middle.upperBound...].firstIndex(of: ")"), open < middle.lowerBound
        {
            result += emphasis(in: rest[..<open])
            let words = Markup.escaped(rest[rest.index(after: open)..<middle.lowerBound])
            let target = rest[middle.upperBound..<close]
            result +=
                target.hasPrefix("#") && anchors.contains(String(target.dropFirst()))
                ? "<a href=\"\(Markup.escaped(target))\">\(words)</a>" : words
            rest = rest[rest.index(after: close)...]
        }
        return result + emphasis(in: rest)
    }

    private static func emphasis(in text: Substring) -> String {
        text.split(separator: "*", omittingEmptySubsequences: false).enumerated()
            .map { $0.offset % 2 == 1 ? "<em>\(Markup.escaped($0.element))</em>" : Markup.escaped($0.element) }.joined()
    }
}
