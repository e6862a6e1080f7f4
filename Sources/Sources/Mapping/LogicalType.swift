import Bytes

/// The meaning of a column's value beyond its JSON type: the `name` in its Kafka Connect or Debezium schema.
enum LogicalType: Equatable {
    case time(TimeUnit)
    /// Two's complement, big endian, in Base64.
    case decimal(scale: Int)
    /// An object of `scale` and `value`.
    case variableDecimal
    /// Text that is JSON.
    case json
    /// Base64.
    case bytes

    init?(name: String, parameters: (String) -> String?) {
        switch name {
        case "io.debezium.time.Date", "org.apache.kafka.connect.data.Date": self = .time(.days)
        case "io.debezium.time.Timestamp", "org.apache.kafka.connect.data.Timestamp": self = .time(.millis)
        case "io.debezium.time.MicroTimestamp": self = .time(.micros)
        case "io.debezium.time.NanoTimestamp": self = .time(.nanos)
        case "io.debezium.time.ZonedTimestamp", "io.debezium.time.IsoTimestamp", "io.debezium.time.IsoDate":
            self = .time(.rfc3339)
        case "org.apache.kafka.connect.data.Decimal":
            guard let scale = parameters("scale").flatMap({ Int($0) }) else { return nil }
            self = .decimal(scale: scale)
        case "io.debezium.data.VariableScaleDecimal": self = .variableDecimal
        case "io.debezium.data.Json": self = .json
        default: return nil
        }
    }
}

/// Logical types of a row's columns, from its schema.
struct ColumnTypes {
    /// Only columns that have one. A list: a table has few of them, and hashing a name costs more than comparing it.
    private var types: [(column: [UInt8], type: LogicalType)] = []
    /// Columns by their earlier names.
    private var aliases: [[UInt8]: [UInt8]] = [:]

    static let none = ColumnTypes()

    subscript(column: [UInt8]) -> LogicalType? {
        for entry in types where entry.column.count == column.count && entry.column == column { return entry.type }
        return nil
    }

    /// The current name of a column.
    func name(ofAlias alias: [UInt8]) -> [UInt8]? { aliases.isEmpty ? nil : aliases[alias] }

    private init() {}

    /// - Parameters:
    ///   - json: the columns whose text is JSON.
    ///   - bytes: the columns whose text is Base64.
    init(json: [String], bytes: [String], aliases: [(alias: String, name: String)]) {
        types = json.map { (Array($0.utf8), .json) } + bytes.map { (Array($0.utf8), .bytes) }
        for (alias, name) in aliases { self.aliases[Array(alias.utf8)] = Array(name.utf8) }
    }

    /// - Parameter schema: the index of a Connect schema in JSON: an envelope's, with the row's as `after`, or the
    ///   row's.
    init(_ document: JSONDocument, schema: Int) {
        let row = Self.field("after", of: schema, document) ?? schema
        guard let fields = document.member(Array("fields".utf8), of: row) else { return }
        document.forEachChild(of: fields) { field in
            guard let column = Self.text("field", field, document) else { return }
            if let type = Self.type(of: field, document) { types.append((Array(column.utf8), type)) }
        }
    }

    private static func type(of field: Int, _ document: JSONDocument) -> LogicalType? {
        guard let name = text("name", field, document) else {
            return text("type", field, document) == "bytes" ? .bytes : nil
        }
        let parameters = document.member(Array("parameters".utf8), of: field)
        return LogicalType(name: name) { key in parameters.flatMap { text(key, $0, document) } }
    }

    private static func field(_ name: String, of schema: Int, _ document: JSONDocument) -> Int? {
        guard let fields = document.member(Array("fields".utf8), of: schema) else { return nil }
        var found: Int?
        document.forEachChild(of: fields) { field in
            if text("field", field, document) == name { found = field }
        }
        return found
    }

    private static func text(_ name: String, _ object: Int, _ document: JSONDocument) -> String? {
        document.member(Array(name.utf8), of: object).flatMap { document.string(of: $0) }
    }
}
