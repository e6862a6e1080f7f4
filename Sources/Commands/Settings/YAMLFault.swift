import Foundation
import Yams

/// Faults of a YAML text for people: the line, the fault, and the usual cause. Never the line's text: it may hold a
/// password.
enum YAMLFault {
    /// A clause on a fault.
    static func clause(_ error: YamlError, in data: Data) -> String {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            var place = ""
            if let context, context.mark.line != mark.line {
                place = " \(context.text.trimmingCharacters(in: .whitespaces)) that begins in line \(context.mark.line)"
            }
            return "line \(mark.line) is not YAML: \(problem)\(place)\(advice(problem))"
        case .composer(_, let problem, let mark, _):
            return "line \(mark.line) is not YAML that can be used: \(problem)\(advice(problem))"
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.sorted().map { Printable.quoted($0) }.joined(separator: ", ")
            let lines = lines(of: duplicates.sorted().first ?? "", from: context.mark.line, in: data)
            let place =
                lines.count > 1
                ? "in line \(lines[0]) and line \(lines[1])" : "in the mapping around line \(context.mark.line)"
            return "\(names) stands more than once \(place); keep one"
        case .dataCouldNotBeDecoded: return "it is not text in UTF-8"
        case .reader(let problem, _, _, _): return "it is not text: \(problem)"
        default: return "it is not YAML"
        }
    }

    /// The usual cause of a fault that libyaml names; "" for others.
    private static func advice(_ problem: String) -> String {
        switch problem {
        case "found a tab character that violates indentation",
            "found a tab character where an indentation space is expected":
            "; YAML is indented with spaces alone"
        case "found character that cannot start any token":
            "; put a value that begins with @, %, `, > or | in quotes, and indent with spaces, not tabs"
        case "could not find expected ':'":
            "; a key and its value have a colon and a space between them, as in 'body: text'"
        case "mapping values are not allowed in this context":
            "; put a value that holds a colon in quotes, and write the keys of a mapping below each other"
        case "did not find expected key":
            "; the keys of a mapping begin in one column, and the entries of a list each with '- '"
        case "did not find expected '-' indicator": "; it stands among the entries of a list, which begin with '- '"
        case "did not find expected ',' or '}'":
            "; close what { opens, and put a value that holds one of , { } in quotes"
        case "did not find expected ',' or ']'":
            "; close what [ opens, and put a value that holds one of , [ ] in quotes"
        case "found unexpected end of stream": "; a quote that is opened is not closed"
        case "did not find expected comment or line break", "did not find expected digit or comment":
            "; a value that begins with > or | is a block of text in YAML: put it in quotes"
        case "found undefined alias", "did not find expected alphabetic or numeric character":
            "; put a value that begins with * or & in quotes"
        case "found unknown escape character":
            "; \\ begins an escape within double quotes: use single ones"
        default: ""
        }
    }

    /// The lines in which a key stands with the same indentation, from a line on.
    private static func lines(of key: String, from first: Int, in data: Data) -> [Int] {
        var found: [Int] = []
        var indentation: Int?
        for (index, line) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where index + 1 >= first {
            let text = String(decoding: line, as: UTF8.self)
            let content = text.drop { $0 == " " || $0 == "-" }
            let indent = text.count - content.count
            let isKey = [key, "\"\(key)\"", "'\(key)'"].contains { name in
                content.hasPrefix(name) && content.dropFirst(name.count).drop { $0 == " " }.hasPrefix(":")
            }
            guard isKey, indentation == nil || indentation == indent else { continue }
            indentation = indent
            found.append(index + 1)
        }
        return found
    }
}
