/// HTML and SVG as text. Text of records, logs and requests always goes through ``escaped(_:)`` or ``line(_:limit:)``;
/// both results fit content and attributes in double quotes.
package enum Markup {
    /// Text for an element of its own, with its line ends and with its bidirectional marks: an element with a `dir`
    /// confines their effect.
    package static func escaped(_ text: some StringProtocol) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            // A browser takes a carriage return, alone or before a line feed, as a line end.
            case "\n", "\t", "\r": result.unicodeScalars.append(scalar)
            default: append(scalar, to: &result)
            }
        }
        return result
    }

    /// One line of bounded length amid other text, whose writing direction it cannot change.
    /// - Parameter limit: in characters, before they are escaped.
    package static func line(_ text: String, limit: Int = 300) -> String {
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            if count == limit {
                result += "…"
                break
            }
            count += 1
            switch scalar {
            case "\n", "\t", "\r": result += " "
            default:
                if scalar.properties.isBidiControl {
                    appendShown(scalar, to: &result)
                } else {
                    append(scalar, to: &result)
                }
            }
        }
        return result
    }

    private static func append(_ scalar: Unicode.Scalar, to result: inout String) {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "'": result += "&#39;"
        default:
            if scalar.properties.generalCategory == .control || scalar.properties.isNoncharacterCodePoint {
                appendShown(scalar, to: &result)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }

    /// Makes characters visible that HTML forbids or that are invisible.
    private static func appendShown(_ scalar: Unicode.Scalar, to result: inout String) {
        result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
    }

    /// A person's name; its writing direction does not affect the text around it.
    package static func name(_ text: String) -> String { "<bdi>\(line(text, limit: 120))</bdi>" }

    /// A coordinate: a tenth of a unit is finer than any screen.
    package static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        let rest = abs(tenths % 10)
        let whole = "\(tenths < 0 ? "-" : "")\(abs(tenths / 10))"
        return rest == 0 ? whole : "\(whole).\(rest)"
    }
}
