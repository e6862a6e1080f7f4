/// A line of the screen: pieces of text with styles.
struct TopText: Sendable, Equatable {
    enum Style: Int, Sendable {
        case plain
        case bold
        case dim
        case good
        case warn
        case bad
        case selected
        case blue
        case magenta
        case cyan

        /// SGR parameters; only the sixteen colours of the user's theme, which are readable on its background.
        func code(colour: Bool) -> String {
            switch self {
            case .plain: ""
            case .bold: "1"
            case .dim: colour ? "90" : ""
            case .good: colour ? "32" : ""
            case .warn: colour ? "33" : "1"
            case .bad: colour ? "1;31" : "1"
            case .selected: "7"
            case .blue: colour ? "34" : ""
            case .magenta: colour ? "35" : ""
            case .cyan: colour ? "36" : ""
            }
        }
    }

    struct Piece: Sendable, Equatable {
        var text: String
        var style: Style
    }

    private(set) var pieces: [Piece] = []
    /// Width in cells.
    private(set) var width = 0

    init() {}

    init(_ text: String, _ style: Style = .plain) {
        add(text, style)
    }

    mutating func add(_ text: String, _ style: Style = .plain) {
        guard !text.isEmpty else { return }
        pieces.append(Piece(text: text, style: style))
        width += Self.width(of: text)
    }

    mutating func add(_ other: TopText) {
        pieces += other.pieces
        width += other.width
    }

    /// Right-aligns `text` in `cells`, cut where it is longer.
    mutating func right(_ text: String, _ cells: Int, _ style: Style = .plain) {
        let text = Self.cut(text, cells)
        add(String(repeating: " ", count: max(0, cells - Self.width(of: text))))
        add(text, style)
    }

    /// Left-aligns `text` in `cells`, cut where it is longer.
    mutating func left(_ text: String, _ cells: Int, _ style: Style = .plain) {
        let text = Self.cut(text, cells)
        add(text, style)
        add(String(repeating: " ", count: max(0, cells - Self.width(of: text))))
    }

    /// Pads with spaces up to `cells`.
    mutating func pad(to cells: Int) {
        if width < cells { add(String(repeating: " ", count: cells - width)) }
    }

    /// The line, cut to `cells`.
    func cut(_ cells: Int) -> TopText {
        guard width > cells else { return self }
        var line = TopText()
        for piece in pieces {
            let left = cells - line.width
            if left <= 0 { break }
            line.add(Self.cut(piece.text, left), piece.style)
        }
        return line
    }

    var plain: String { pieces.map(\.text).joined() }

    /// The text with escape sequences.
    func rendered(colour: Bool) -> String {
        var text = ""
        for piece in pieces {
            let code = piece.style.code(colour: colour)
            text += code.isEmpty ? piece.text : "\u{1B}[\(code)m\(piece.text)\u{1B}[0m"
        }
        return text
    }

    // MARK: - Cells

    static func width(of text: String) -> Int {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.count : text.unicodeScalars.reduce(0) { $0 + width(of: $1) }
    }

    static func cut(_ text: String, _ cells: Int) -> String {
        guard width(of: text) > cells else { return text }
        var result = ""
        var used = 0
        for scalar in text.unicodeScalars {
            used += width(of: scalar)
            if used > cells { break }
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    /// 0, 1 or 2 cells, as most terminals do: East Asian wide characters and emoji take two, combining marks none.
    private static func width(of scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
            0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
