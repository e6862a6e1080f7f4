/// An Avro schema (1.12 specification), its names resolved. Immutable.
final class AvroSchema {
    enum Kind {
        case null, boolean, int, long, float, double, bytes, string
        case fixed(size: Int)
        /// The symbols as JSON strings.
        case enumeration([[UInt8]])
        case array(Int)
        case map(Int)
        case union([Int])
        case record([Field])
    }

    struct Field {
        var name: String
        /// The name as a member's beginning in JSON: `"name":`.
        var member: [UInt8]
        var type: Int
        var aliases: [String]
    }

    /// A value's meaning beyond its kind: an Avro logical type, or Kafka Connect's name of one.
    enum Meaning: Equatable {
        case plain
        case time(TimeUnit)
        case timeOfDay(TimeUnit)
        case decimal(scale: Int)
        case uuid
        case duration
        /// Text that is JSON.
        case json
    }

    struct Node {
        var kind: Kind
        var meaning = Meaning.plain

        /// Whether its values become Base64.
        var isBytes: Bool {
            switch kind {
            case .bytes, .fixed: meaning == .plain
            default: false
            }
        }
    }

    /// Types by index, since a record may hold itself.
    let nodes: [Node]
    let root: Int
    /// Bytes of its texts, as a measure of its size.
    let size: Int
    /// Whether it is Debezium's envelope: a record of `before`, `after` and `op`.
    let isEnvelope: Bool
    /// The row's columns whose text is JSON or Base64, and all columns' aliases.
    let columnTypes: ColumnTypes

    init(nodes: [Node], root: Int, size: Int) {
        self.nodes = nodes
        self.root = root
        self.size = size
        let fields = Self.fields(of: root, nodes)
        func field(_ name: String) -> Field? { fields.first { $0.name == name } }
        var row = fields
        if field("before") != nil, field("op") != nil, let after = field("after") {
            isEnvelope = true
            row = Self.fields(of: after.type, nodes)
        } else {
            isEnvelope = false
        }
        columnTypes = ColumnTypes(
            json: row.filter { Self.branches(of: $0.type, nodes).contains { $0.meaning == .json } }.map(\.name),
            bytes: row.filter { Self.branches(of: $0.type, nodes).allSatisfy(\.isBytes) }.map(\.name),
            aliases: row.flatMap { field in field.aliases.map { (alias: $0, name: field.name) } })
    }

    /// The fields of a record, or of a union's first record.
    private static func fields(of type: Int, _ nodes: [Node]) -> [Field] {
        switch nodes[type].kind {
        case .record(let fields): fields
        case .union(let branches):
            branches.lazy.compactMap { if case .record(let fields) = nodes[$0].kind { fields } else { nil } }.first
                ?? []
        default: []
        }
    }

    /// The types of a union but null, or the one type that it is.
    private static func branches(of type: Int, _ nodes: [Node]) -> [Node] {
        guard case .union(let branches) = nodes[type].kind else { return [nodes[type]] }
        return branches.map { nodes[$0] }.filter { if case .null = $0.kind { false } else { true } }
    }
}
