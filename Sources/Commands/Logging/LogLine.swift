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
        JSONWriter.object { line in
            line.add("time", time)
            line.add("level", level.rawValue)
            line.add("logger", logger)
            line.add("message", message)
            for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
                line.name(Self.reserved.contains(name) ? name + "_" : name)
                Self.append(value, to: &line)
            }
        }
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

    private static func append(_ value: Logger.MetadataValue, to line: inout JSONWriter) {
        switch value {
        case .string(let text): line.string(text)
        case .stringConvertible(let value): append(value, to: &line)
        case .array(let values):
            line.raw("[")
            for (index, value) in values.enumerated() {
                if index > 0 { line.raw(",") }
                append(value, to: &line)
            }
            line.raw("]")
        case .dictionary(let values):
            line.begin()
            for (name, value) in values.sorted(by: { $0.key < $1.key }) {
                line.name(name)
                append(value, to: &line)
            }
            line.end()
        }
    }

    private static func append(_ value: any CustomStringConvertible & Sendable, to line: inout JSONWriter) {
        switch value {
        case let number as any BinaryInteger: line.raw(json: number.description)
        case let number as Double where number.isFinite: line.raw(json: number.description)
        case let flag as Bool: line.raw(json: flag ? "true" : "false")
        default: line.string(value.description)
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
        return isBare ? Printable.text(text, limit: .max) : JSONWriter.string(text)
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
