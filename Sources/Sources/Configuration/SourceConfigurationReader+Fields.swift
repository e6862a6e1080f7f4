import Bytes
import Yams

/// Reads `fields:`.
extension SourceConfigurationReader {
    mutating func readFields(_ node: Node?, _ into: ContractTopic, _ entry: Node) -> [FieldMapping] {
        guard case .mapping(let mapping)? = node else {
            let problem =
                node.map { "fields in \(place($0)) is no mapping" }
                ?? "the entry of sources in \(place(entry)) has no fields"
            report(
                "\(problem): name for each field of the \(into.noun) the column it stands in, as in 'id: id'.")
            return []
        }
        let known = ContractField.all(of: into)
        var fields: [String: FieldMapping] = [:]
        let before = problems.count
        for (key, value) in mapping {
            guard let name = key.string, let field = known.first(where: { $0.name == name }) else {
                reportUnknown(field: key, of: into, known)
                continue
            }
            fields[name] = readField(field, key, value)
            note(line: key, of: "fields \(name)")
        }
        checkIdentity(fields, mapping)
        // A misspelled field would be reported a second time, as missing.
        if problems.count == before { checkPresence(fields, into, node ?? entry) }
        return known.compactMap { fields[$0.name] }
    }

    /// Ids that are made of the column that is the body as well.
    private mutating func checkIdentity(_ fields: [String: FieldMapping], _ mapping: Node.Mapping) {
        guard case .path(let body)? = fields["body"]?.source else { return }
        for (key, _) in mapping {
            guard let field = key.string.flatMap({ fields[$0] }), field.field.isIdentity,
                field.paths.contains(where: { $0.steps == body.steps })
            else { continue }
            report(
                "fields \(field.field.name) in \(place(key)) names \(excerpt(body.text)), which is the body as well: "
                    + "an id is made of the columns of a primary key, or of those that refer to one.")
        }
    }

    private mutating func reportUnknown(field key: Node, of into: ContractTopic, _ known: [ContractField]) {
        let name = key.string ?? ""
        if let author = known.first(where: { "author." + $0.lastName == name }) {
            report("unknown field \(excerpt(name)) in \(place(key)): it is written \(author.name).")
        } else if name == "author", let example = known.first(where: \.isOfAuthor) {
            report(
                "unknown field 'author' in \(place(key)): its fields are written one by one, each with a slash, as in "
                    + "'\(example.name): user_id'.")
        } else if let other = ContractTopic.allCases.first(where: { topic in
            topic != into && ContractField.all(of: topic).contains { $0.name == name }
        }) {
            report(
                "unknown field \(excerpt(name)) in \(place(key)): it is a field of \(other.rawValue), and this entry "
                    + "goes into \(into.rawValue), which have \(known.map(\.name).joined(separator: ", ")); the "
                    + "nearest is "
                    + "\(NearestName.of(name, in: known.map(\.name), aliases: OtherNames.fields(of: into))).")
        } else {
            unknown(
                key, "field", known.map(\.name), aliases: OtherNames.fields(of: into),
                hint: "; other columns go under carry:")
        }
    }

    private mutating func checkPresence(_ fields: [String: FieldMapping], _ into: ContractTopic, _ node: Node) {
        for field in ContractField.all(of: into) where field.isRequired && fields[field.name] == nil {
            report("fields in \(place(node)) lacks \(field.name), which every \(into.noun) has.")
        }
        guard into == .votes else { return }
        switch (fields["value"] != nil, fields["voteCount"] != nil) {
        case (true, true):
            report("fields in \(place(node)) has both value and voteCount: a vote is either cast or counted; keep one.")
        case (false, false):
            report(
                "fields in \(place(node)) has neither value, of a vote that was cast, nor voteCount, of votes that "
                    + "were counted."
            )
        case (true, false) where fields["voterId"] == nil:
            report("fields in \(place(node)) lacks voterId: a vote that was cast has a voter.")
        case (false, true) where fields["voterId"] != nil:
            report("fields in \(place(node)) has voterId, but votes that were counted have no voter; leave it out.")
        default: break
        }
    }

    private static let fieldKeys = ["from", "as", "in", "not", "map", "split", "join", "default", "constant"]

    private mutating func readField(_ field: ContractField, _ key: Node, _ value: Node) -> FieldMapping? {
        let label = "fields \(field.name)"
        guard case .mapping(let mapping) = value else {
            guard scalar(value) != nil else {
                report(
                    "\(label) in \(place(key)) must be a column, a JSON Pointer, or a mapping with from:.")
                return nil
            }
            return rowPath(value, label).map { FieldMapping(field, .path($0)) }
        }
        for (key, _) in mapping where !Self.fieldKeys.contains(key.string ?? "") {
            unknown(key, label, Self.fieldKeys, aliases: OtherNames.fieldKeys)
        }
        guard let source = readSource(field, mapping, label, key) else { return nil }
        var result = FieldMapping(field, source)
        if let unit = mapping["as"] {
            if field.kind != .time {
                report("\(label) in \(place(unit)) has as:, which is for times; \(field.name) is none.")
            }
            result.unit = scalar(unit).flatMap { TimeUnit(rawValue: $0) }
            if result.unit == nil {
                report(wrongWord(unit, "\(label) as", TimeUnit.allCases.map(\.rawValue), aliases: Self.unitNames))
            }
        }
        readTest(mapping, &result, label)
        if let map = mapping["map"] { result.replacements = readMap(map, label) }
        if let split = mapping["split"] {
            if field.kind != .strings {
                report("\(label) in \(place(split)) has split:, which is for lists; \(field.name) is none.")
            }
            result.separators = scalar(split)
            if result.separators?.isEmpty ?? true {
                report("\(label) split in \(place(split)) must be the characters between the parts, as in split: ' '.")
            }
        }
        if let standard = mapping["default"] {
            result.standard = scalar(standard)
            if result.standard == nil { report("\(label) default in \(place(standard)) must be a single value.") }
        }
        checkValues(result, mapping, label)
        return result
    }

    /// Other names of the units.
    private static let unitNames = [
        "ms": "millis", "msec": "millis", "milliseconds": "millis", "us": "micros", "usec": "micros",
        "microseconds": "micros", "ns": "nanos", "nsec": "nanos", "nanoseconds": "nanos", "s": "seconds",
        "sec": "seconds",
        "epoch": "seconds", "unix": "seconds", "day": "days", "date": "rfc3339", "iso": "rfc3339", "iso8601": "rfc3339",
        "timestamp": "rfc3339", "string": "rfc3339", "text": "rfc3339",
    ]

    private mutating func readSource(
        _ field: ContractField, _ mapping: Node.Mapping, _ label: String, _ key: Node
    ) -> FieldMapping.Source? {
        switch (mapping["from"], mapping["constant"]) {
        case (nil, let constant?):
            guard let text = scalar(constant) else {
                report("\(label) constant in \(place(constant)) must be a single value.")
                return nil
            }
            return .constant(text)
        case (let from?, nil):
            guard case .sequence(let list) = from else {
                if let join = mapping["join"] {
                    report(
                        "\(label) in \(place(join)) has join:, which goes with a list of columns, as in from: [site, "
                            + "id]."
                    )
                }
                return rowPath(from, label).map { .path($0) }
            }
            // A list of one is how such a pointer is meant.
            let paths = list.compactMap { rowPath($0, label, isAsWritten: list.count == 1) }
            guard paths.count == list.count, !paths.isEmpty else {
                if list.isEmpty { report("\(label) from in \(place(from)) names no column.") }
                return nil
            }
            guard let separator = mapping["join"].flatMap({ scalar($0) }) else {
                report(
                    "\(label) in \(place(from)) has several columns and no join: say what stands between their values, "
                        + "as in join: '-'.")
                return nil
            }
            let makesText = [.id, .string, .time, .strings].contains(field.kind)
            if let join = mapping["join"], !makesText, mapping["map"] == nil, mapping["in"] == nil,
                mapping["not"] == nil
            {
                report(
                    "\(label) in \(place(join)) has join:, which makes a text, as an id of a compound key; "
                        + "\(field.name) is none: name one column.")
            }
            return .joined(paths, separator: separator)
        case (nil, nil):
            report("\(label) in \(place(key)) has no from: name the column, as in '{ from: added_at, as: micros }'.")
        case (_?, let constant?):
            report("\(label) in \(place(constant)) has both from and constant; keep one.")
        }
        return nil
    }

    private mutating func readTest(_ mapping: Node.Mapping, _ result: inout FieldMapping, _ label: String) {
        guard let test = mapping["in"] ?? mapping["not"] else { return }
        guard result.field.kind == .boolean || result.field.kind == .deletion else {
            return report(
                "\(label) in \(place(test)) has \(mapping["in"] == nil ? "not" : "in"):, which makes true or false; "
                    + "\(result.field.name) is neither. To leave rows out, use where:.")
        }
        if mapping["in"] != nil, let not = mapping["not"] {
            return report("\(label) in \(place(not)) has both in and not; keep one.")
        }
        if let text = scalar(test), let word = ConditionWord(text) {
            let key = mapping["in"] == nil ? "not" : "in"
            report("\(label) in \(place(test)) has \(key): \(excerpt(text)): \(word.advice(test: key)).")
        }
        result.test = ValueSet(values: scalars(test, label), isNegated: mapping["in"] == nil)
    }

    private mutating func readMap(_ node: Node, _ label: String) -> [String: String]? {
        guard case .mapping(let mapping) = node, !mapping.isEmpty else {
            report(
                "\(label) map in \(place(node)) must hold values and what each stands for, as in 'map: { 2: 1, 3: -1 "
                    + "}'."
            )
            return nil
        }
        var replacements: [String: String] = [:]
        for (key, value) in mapping {
            guard let from = scalar(key), let to = scalar(value) else {
                report(
                    "\(label) map in \(place(key)) must say of each value what it stands for, as in 'map: { 2: 1, 3: "
                        + "-1 }'"
                        + (scalar(key).map { "; \(excerpt($0)) has nothing behind it" } ?? "") + ".")
                continue
            }
            replacements[from] = to
        }
        return replacements
    }
}
