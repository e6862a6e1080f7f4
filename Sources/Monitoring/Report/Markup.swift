/// HTML and SVG text. What comes from logs goes through ``escaped(_:)``, always.
enum Markup {
    /// Fit for text and for attributes in double quotes. Characters that HTML forbids, or that turn the direction of what
    /// follows, become a replacement character.
    static func escaped(_ text: String, limit: Int = 300) -> String {
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            if count == limit {
                result += "…"
                break
            }
            count += 1
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result += " "
            default:
                let isUnfit =
                    scalar.properties.generalCategory == .control || scalar.properties.isBidiControl
                    || scalar.properties.isNoncharacterCodePoint
                result.unicodeScalars.append(isUnfit ? "\u{FFFD}" : scalar)
            }
        }
        return result
    }

    /// A name of somebody's: its direction does not reach beyond it.
    static func name(_ text: String) -> String { "<bdi>\(escaped(text, limit: 120))</bdi>" }

    /// A coordinate: a tenth of a unit is finer than any screen.
    static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        let rest = abs(tenths % 10)
        let whole = "\(tenths < 0 ? "-" : "")\(abs(tenths / 10))"
        return rest == 0 ? whole : "\(whole).\(rest)"
    }
}
