import Throughput

/// The characters that the screen is drawn with.
struct TopGlyphs: Sendable {
    /// Whether the terminal shows UTF-8; ASCII otherwise.
    let unicode: Bool

    var dot: String { unicode ? "●" : "*" }
    var marker: String { unicode ? "▸" : ">" }

    /// The program's own text, in ASCII if needed.
    func text(_ text: String) -> String {
        unicode ? text : text.replacing("–", with: "-").replacing("µ", with: "u").replacing("…", with: "...")
    }

    /// Foreign text made printable; in ASCII, other characters become question marks.
    func name(_ text: String) -> String {
        let printable = Printable.text(text, limit: 100)
        return unicode ? printable : String(printable.unicodeScalars.map { $0.isASCII ? Character($0) : "?" })
    }

    func spark(_ values: [Double?]) -> String { Sparkline.text(values, unicode: unicode) }

    private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

    /// A bar over a share of `cells`.
    func bar(_ share: Double, _ cells: Int) -> String {
        let share = min(max(share.isFinite ? share : 0, 0), 1)
        guard unicode else { return String(repeating: "#", count: Int((share * Double(cells)).rounded())) }
        let eighths = Int((share * Double(cells) * 8).rounded())
        // Every share above 0 is visible.
        if eighths == 0 { return share > 0 && cells > 0 ? Self.eighths[1] : "" }
        return String(repeating: "█", count: eighths / 8) + Self.eighths[eighths % 8]
    }
}
