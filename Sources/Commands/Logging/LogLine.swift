import Bytes
import Logging

/// One line of the log.
struct LogLine {
    var time: String
    var level: Logger.Level
    var logger: String
    var message: String
    var fields: Logger.Metadata

    /// Names of the line's own members; a metadata field with one of these names gets a "_" suffix.
    private static let reserved: Set<String> = ["time", "level", "logger", "message"]

    /// One JSON object. Metadata given as a number or a boolean is one in JSON; all other metadata is text.
    var json: String {
        var line = "{\"time\":\"\(time)\",\"level\":\"\(level.rawValue)\",\"logger\":"
        JSONText.append(logger, to: &line)
        line += ",\"message\":"
        JSONText.append(message, to: &line)
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            line += ","
            JSONText.append(Self.reserved.contains(name) ? name + "_" : name, to: &line)
            line += ":"
            Self.append(value, to: &line)
        }
        line += "}"
        return line
    }

    /// Time, level, logger, message, then name=value. Control characters are escaped, so that a line stays one line.
    var text: String {
        var line = "\(time) \(Self.padded(level.rawValue, 8)) \(Self.padded(logger, 18)) "
        line += Printable.text(message, limit: .max)
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            line += "  \(Printable.text(name))=" + Self.plain(value)
        }
        return line
    }

    private static func append(_ value: Logger.MetadataValue, to line: inout String) {
        switch value {
        case .string(let text): JSONText.append(text, to: &line)
        case .stringConvertible(let value): appendConvertible(value, to: &line)
        case .array(let values):
            line += "["
            for (index, value) in values.enumerated() {
                if index > 0 { line += "," }
                append(value, to: &line)
            }
            line += "]"
        case .dictionary(let values):
            line += "{"
            for (index, (name, value)) in values.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { line += "," }
                JSONText.append(name, to: &line)
                line += ":"
                append(value, to: &line)
            }
            line += "}"
        }
    }

    private static func appendConvertible(_ value: any CustomStringConvertible & Sendable, to line: inout String) {
        switch value {
        case let number as any BinaryInteger: line += number.description
        case let number as Double where number.isFinite: line += number.description
        case let flag as Bool: line += flag ? "true" : "false"
        default: JSONText.append(value.description, to: &line)
        }
    }

    /// For people: quotes only where the end of the value would be unclear.
    private static func plain(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): return bare(text)
        case .stringConvertible(let value): return bare(value.description)
        case .array(let values): return "[" + values.map(plain).joined(separator: ", ") + "]"
        case .dictionary(let values):
            let entries = values.sorted { $0.key < $1.key }.map { "\(bare($0.key)): \(plain($0.value))" }
            return "{" + entries.joined(separator: ", ") + "}"
        }
    }

    private static func bare(_ text: String) -> String {
        let isBare = !text.isEmpty && !text.contains { $0.isWhitespace || "\"=,{}[]".contains($0) }
        return isBare ? Printable.text(text, limit: .max) : JSONText.string(text)
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
