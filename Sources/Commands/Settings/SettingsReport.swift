import Bytes
import Foundation
import KafkaClient

/// The effective configuration as text: a YAML file that gives the same settings (except masked secrets), with each
/// value's origin as a comment.
struct SettingsReport {
    let settings: Settings
    /// Values of settings that are worked out from others.
    var workedOut: [SettingKey: String] = [:]
    /// The worker's choices for properties that the user leaves open, in order of name.
    var workerProperties: [WorkerProperty] = []

    /// A librdkafka property that the worker chooses, and the clients that get it.
    struct WorkerProperty: Equatable {
        var name: String
        var value: String
        var client: String
    }

    static let mask = "********"

    private struct Row {
        var path: [String]
        var value: String?
        var kind: SettingKind
        var origin: String
        /// Not a setting that the user made, so a comment in YAML.
        var isComment = false
    }

    /// In the table's order, with the properties after the other kafka keys.
    private var rows: [Row] {
        var rows: [Row] = []
        for key in SettingKey.allCases {
            let value = settings.values[key]
            rows.append(
                Row(
                    path: key.components,
                    value: (value?.text ?? workedOut[key]).map { key.definition.isSecret ? Self.mask : $0 },
                    kind: key.definition.kind,
                    origin: (value?.origin ?? .standard).description, isComment: value == nil))
            if key == .staticMembership { rows += propertyRows }
        }
        return rows
    }

    private var propertyRows: [Row] {
        let given = settings.kafkaProperties.sorted { $0.key < $1.key }.map { name, value in
            Row(
                path: ["kafka", "properties", name],
                value: KafkaProperties.isSecret(name) ? Self.mask : value, kind: .text,
                origin: (settings.propertyOrigins[name] ?? .standard).description)
        }
        return given
            + workerProperties.map {
                Row(
                    path: ["kafka", "properties", $0.name], value: $0.value, kind: .text,
                    origin: "default, \($0.client)", isComment: true)
            }
    }

    /// YAML, origins as comments.
    var yaml: String {
        var lines: [(text: String, comment: String)] = []
        var section: [String] = []
        for row in rows {
            let parents = Array(row.path.dropLast())
            for depth in parents.indices where section.count <= depth || section[depth] != parents[depth] {
                section = Array(parents[...depth])
                lines.append((Self.indent(depth) + parents[depth] + ":", ""))
            }
            section = parents
            let name = row.path[row.path.count - 1]
            let line = Self.scalar(name) + ": " + (row.value.map(Self.scalar) ?? "")
            lines.append((Self.indent(parents.count) + (row.isComment ? "# " : "") + line, row.origin))
        }
        let width = min(60, lines.filter { !$0.comment.isEmpty }.map(\.text.count).max() ?? 0)
        let text = lines.map { line in
            guard !line.comment.isEmpty else { return line.text }
            return line.text + String(repeating: " ", count: max(0, width - line.text.count)) + "  # " + line.comment
        }.joined(separator: "\n")
        guard let sources = settings.sourcesText else { return text }
        return text + "\n" + sources.trimmingCharacters(in: .newlines)
    }

    /// One JSON object: path to {"value", "origin"}.
    var json: String {
        let entries = rows.map { row in
            // A property's name has dots of its own, so only the whole path tells properties from keys.
            let value = row.value.map { Self.json($0, row.kind) } ?? "null"
            return "  \(JSONWriter.string(row.path.joined(separator: "."))): "
                + "{\"value\": \(value), \"origin\": \(JSONWriter.string(row.origin))}"
        }
        let sources = settings.sources.map { JSONWriter.string($0.name) }.joined(separator: ", ")
        let all = settings.sources.isEmpty ? entries : entries + ["  \"sources\": {\"value\": [\(sources)]}"]
        return "{\n" + all.joined(separator: ",\n") + "\n}"
    }

    private static func json(_ value: String, _ kind: SettingKind) -> String {
        switch kind {
        case .boolean: value
        case .integer: SettingKind.integer(value).map(String.init) ?? JSONWriter.string(value)
        default: JSONWriter.string(value)
        }
    }

    /// Plain where YAML reads the same text back, elsewhere in double quotes (JSON strings are YAML).
    private static func scalar(_ text: String) -> String {
        looksPlain(text) ? text : JSONWriter.string(text)
    }

    private static func looksPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: ":") else { return false }
        guard !["null", "~"].contains(text.lowercased()) else { return false }
        return text.last != ":"
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
                    UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "+"):
                    true
                default: false
                }
            }
    }

    private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }
}
