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
    }

    /// Types by index, since a record may hold itself.
    let nodes: [Node]
    let root: Int
    /// Bytes of its texts, as a measure of its size.
    let size: Int
    /// Whether it is Debezium's envelope: a record of `before`, `after` and `op`.
    let isEnvelope: Bool
    /// The row's columns whose text is JSON, and all columns' aliases.
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
            json: row.filter { Self.means(.json, $0.type, nodes) }.map(\.name),
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

    private static func means(_ meaning: Meaning, _ type: Int, _ nodes: [Node]) -> Bool {
        if case .union(let branches) = nodes[type].kind { return branches.contains { nodes[$0].meaning == meaning } }
        return nodes[type].meaning == meaning
    }
}
