import Yams

/// Reads `sources:` in a configuration file. Finds all problems in one reading: each is a sentence with file, line and
/// key, and the nearest known word for an unknown one.
package struct SourceConfigurationReader {
    let path: String
    package private(set) var mappings: [SourceMapping] = []
    package private(set) var problems: [String] = []
    private var formats: [String: (format: SourceFormat, line: Int?)] = [:]

    private static let keys = ["topic", "format", "where", "into", "fields", "carry", "preset", "topicPrefix"]

    /// - Parameter path: the file's, for the sentences.
    package init(path: String) { self.path = path }

    /// Reads the value of `sources:`.
    package mutating func read(_ node: Node) {
        switch node {
        case .sequence(let entries):
            if entries.isEmpty { report("sources in \(place(node)) is empty; leave it out, or list the sources.") }
            for entry in entries { readEntry(entry) }
        case _ where Self.isNull(node): break
        default:
            report("sources in \(place(node)) must be a list, each entry beginning with '- topic:' or '- preset:'.")
        }
    }

    // MARK: - An entry

    private mutating func readEntry(_ node: Node) {
        guard case .mapping(let entry) = node else {
            return report("the entry of sources in \(place(node)) must hold topic, format, into and fields.")
        }
        let before = problems.count
        for (key, _) in entry where !Self.keys.contains(key.string ?? "") { unknown(key, "sources", Self.keys) }
        if let preset = entry["preset"] { return readPreset(preset, entry, node) }
        if let prefix = entry["topicPrefix"] {
            report("topicPrefix in \(place(prefix)) belongs to a preset; an entry without one names its topic.")
        }
        let topic = topic(entry, node)
        let format = choice(entry, "format", SourceFormat.self, node)
        let into = choice(entry, "into", ContractTopic.self, node)
        let conditions = readConditions(entry["where"])
        guard let into else { return }
        let fields = readFields(entry["fields"], into, node)
        let carry = readCarry(entry["carry"], into)
        guard problems.count == before, let topic, let format else { return }
        add(
            SourceMapping(
                topic: topic, format: format, conditions: conditions, into: into, fields: fields, carry: carry), node)
    }

    private mutating func add(_ mapping: SourceMapping, _ node: Node) {
        if let other = formats[mapping.topic], other.format != mapping.format {
            return report(
                "the topic '\(mapping.topic)' is read as \(mapping.format.rawValue) in \(place(node)) and as "
                    + "\(other.format.rawValue) in line \(other.line ?? 0); a topic has one format.")
        }
        formats[mapping.topic] = (mapping.format, node.mark?.line)
        if !mapping.conditions.isEmpty,
            mappings.contains(where: { $0.topic == mapping.topic && $0.conditions == mapping.conditions })
        {
            return report(
                "the entry in \(place(node)) would never get a row: an entry for the topic '\(mapping.topic)' above it has the "
                    + "same where: and takes them all; change one of the two.")
        }
        if mappings.contains(where: { $0.topic == mapping.topic && $0.conditions.isEmpty }) {
            return report(
                "the entry in \(place(node)) would never get a row: an entry for the topic '\(mapping.topic)' above it has no "
                    + "where: and takes them all; put that one last, or give it a where:.")
        }
        mappings.append(mapping)
    }

    private mutating func topic(_ entry: Node.Mapping, _ node: Node) -> String? {
        guard let topic = entry["topic"] else {
            report("the entry of sources in \(place(node)) has no topic: name the topic that is consumed.")
            return nil
        }
        guard let name = scalar(topic), Self.isTopicName(name) else {
            report(
                "topic in \(place(topic)) is no topic name: 1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-'."
            )
            return nil
        }
        return name
    }

    private static func isTopicName(_ text: String) -> Bool {
        (1...249).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy {
                0x61...0x7A ~= $0 || 0x41...0x5A ~= $0 || 0x30...0x39 ~= $0 || [0x2E, 0x5F, 0x2D].contains($0)
            }
    }

    private mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ entry: Node.Mapping, _ key: String, _: Choice.Type, _ node: Node
    ) -> Choice? where Choice.RawValue == String {
        let words = Choice.allCases.map(\.rawValue)
        guard let value = entry[key] else {
            report(
                "the entry of sources in \(place(node)) has no \(key): it is one of \(words.joined(separator: ", ")).")
            return nil
        }
        guard let text = scalar(value), let choice = Choice(rawValue: text) else {
            report(wrongWord(value, key, words))
            return nil
        }
        return choice
    }

    private func wrongWord(_ value: Node, _ key: String, _ words: [String]) -> String {
        guard let text = scalar(value) else {
            return "\(key) in \(place(value)) must be one of \(words.joined(separator: ", "))."
        }
        return
            "\(key) in \(place(value)) is \(excerpt(text)), not one of \(words.joined(separator: ", ")); the nearest is "
            + "\(NearestName.of(text, in: words))."
    }

    private mutating func readPreset(_ preset: Node, _ entry: Node.Mapping, _ node: Node) {
        for (key, _) in entry {
            guard let name = key.string, Self.keys.contains(name), !["preset", "topicPrefix", "format"].contains(name)
            else {
                continue
            }
            report(
                "\(name) in \(place(key)) does not go with preset: print the preset with 'rejoinder sources show', and change "
                    + "the copy.")
        }
        guard let name = scalar(preset), let known = SourcePreset(rawValue: name) else {
            return report(wrongWord(preset, "preset", SourcePreset.allCases.map(\.rawValue)))
        }
        guard let prefix = entry["topicPrefix"].flatMap({ scalar($0) }), Self.isTopicName(prefix) else {
            return report(
                "the preset \(name) in \(place(preset)) needs a topicPrefix: what stands before the tables' names in the "
                    + "topics', as forum.public in forum.public.\(known.exampleTable).")
        }
        let format = entry["format"] == nil ? nil : choice(entry, "format", SourceFormat.self, node)
        for mapping in known.mappings(topicPrefix: prefix) {
            var mapping = mapping
            if let format { mapping.format = format }
            add(mapping, node)
        }
    }

    // MARK: - where:

    private mutating func readConditions(_ node: Node?) -> [RowCondition] {
        guard let node, !Self.isNull(node) else { return [] }
        guard case .mapping(let mapping) = node else {
            report("where in \(place(node)) must hold columns and their values, as in 'where: { post_type: answer }'.")
            return []
        }
        var conditions: [RowCondition] = []
        for (key, value) in mapping {
            guard let path = rowPath(key, "where") else { continue }
            if case .mapping(let inner) = value {
                guard inner.count == 1, let values = inner["not"] else {
                    let wrong = inner.first { $0.key.string != "not" }?.key ?? key
                    unknown(wrong, "where", ["not"])
                    continue
                }
                conditions.append(
                    RowCondition(path: path, allowed: ValueSet(values: scalars(values, "where"), isNegated: true)))
            } else {
                conditions.append(RowCondition(path: path, allowed: ValueSet(values: scalars(value, "where"))))
            }
        }
        return conditions
    }

    // MARK: - fields:

    private mutating func readFields(_ node: Node?, _ into: ContractTopic, _ entry: Node) -> [FieldMapping] {
        guard case .mapping(let mapping)? = node else {
            report(
                "\(node == nil ? "the entry of sources in \(place(entry)) has no fields" : "fields in \(place(node ?? entry)) is no mapping")"
                    + ": name for each field of the \(into.noun) the column it stands in, as in 'id: id'.")
            return []
        }
        let known = ContractField.all(of: into)
        var fields: [String: FieldMapping] = [:]
        let before = problems.count
        for (key, value) in mapping {
            guard let name = key.string, let field = known.first(where: { $0.name == name }) else {
                let author = known.first { "author." + $0.lastName == key.string }
                if let author {
                    report("unknown field \(excerpt(key.string ?? "")) in \(place(key)): it is written \(author.name).")
                } else {
                    unknown(key, "field", known.map(\.name), hint: "; other columns go under carry:")
                }
                continue
            }
            fields[name] = readField(field, key, value)
        }
        // A misspelled field would be reported a second time, as missing.
        if problems.count == before { checkPresence(fields, into, node ?? entry) }
        return known.compactMap { fields[$0.name] }
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
                "fields in \(place(node)) has neither value, of a vote that was cast, nor voteCount, of votes that were counted."
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
        for (key, _) in mapping where !Self.fieldKeys.contains(key.string ?? "") { unknown(key, label, Self.fieldKeys) }
        guard let source = readSource(mapping, label, key) else { return nil }
        var result = FieldMapping(field, source)
        if let unit = mapping["as"] {
            if field.kind != .time {
                report("\(label) in \(place(unit)) has as:, which is for times; \(field.name) is none.")
            }
            result.unit = scalar(unit).flatMap { TimeUnit(rawValue: $0) }
            if result.unit == nil { report(wrongWord(unit, "\(label) as", TimeUnit.allCases.map(\.rawValue))) }
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

    private mutating func readSource(_ mapping: Node.Mapping, _ label: String, _ key: Node) -> FieldMapping.Source? {
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
                        "\(label) in \(place(join)) has join:, which goes with a list of columns, as in from: [site, id]."
                    )
                }
                return rowPath(from, label).map { .path($0) }
            }
            let paths = list.compactMap { rowPath($0, label) }
            guard paths.count == list.count, !paths.isEmpty else {
                if list.isEmpty { report("\(label) from in \(place(from)) names no column.") }
                return nil
            }
            guard let separator = mapping["join"].flatMap({ scalar($0) }) else {
                report(
                    "\(label) in \(place(from)) has several columns and no join: say what stands between their values, as in "
                        + "join: '-'.")
                return nil
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
        result.test = ValueSet(values: scalars(test, label), isNegated: mapping["in"] == nil)
    }

    private mutating func readMap(_ node: Node, _ label: String) -> [String: String]? {
        guard case .mapping(let mapping) = node, !mapping.isEmpty else {
            report(
                "\(label) map in \(place(node)) must hold values and what each stands for, as in 'map: { 2: 1, 3: -1 }'."
            )
            return nil
        }
        var replacements: [String: String] = [:]
        for (key, value) in mapping {
            guard let from = scalar(key), let to = scalar(value) else {
                report("\(label) map in \(place(key)) must hold single values.")
                continue
            }
            replacements[from] = to
        }
        return replacements
    }

    // MARK: - carry:

    private mutating func readCarry(_ node: Node?, _ into: ContractTopic) -> [CarriedColumn] {
        guard let node, !Self.isNull(node) else { return [] }
        var columns: [CarriedColumn] = []
        switch node {
        case .sequence(let list):
            for item in list {
                guard let path = rowPath(item, "carry") else { continue }
                if path.steps.count > 1 || path.text.hasPrefix("/") {
                    report(
                        "carry in \(place(item)) has a JSON Pointer, which needs a name: write 'carry: { name: \(path.text) }'."
                    )
                } else {
                    add(CarriedColumn(name: path.text, path: path), item, to: &columns, into)
                }
            }
        case .mapping(let mapping):
            for (key, value) in mapping {
                guard let name = scalar(key), !name.isEmpty, let path = rowPath(value, "carry") else { continue }
                add(CarriedColumn(name: name, path: path), key, to: &columns, into)
            }
        default:
            report("carry in \(place(node)) must be a list of columns, or a mapping of names to columns.")
        }
        return columns
    }

    private mutating func add(
        _ column: CarriedColumn, _ node: Node, to columns: inout [CarriedColumn], _ into: ContractTopic
    ) {
        if ContractField.all(of: into).contains(where: { $0.name == column.name }) || column.name == "author" {
            return report(
                "carry in \(place(node)) names \(column.name), which is a field of the \(into.noun); put it under fields:, or "
                    + "carry it under another name, as in 'carry: { source_\(column.path.text): \(column.path.text) }'."
            )
        }
        if columns.contains(where: { $0.name == column.name }) {
            return report("carry in \(place(node)) names \(column.name) twice; keep one.")
        }
        columns.append(column)
    }

    // MARK: - Helpers

    private mutating func rowPath(_ node: Node, _ label: String) -> RowPath? {
        guard let text = scalar(node), let path = RowPath(text) else {
            let shown = scalar(node) ?? ""
            report(
                "\(label) in \(place(node)) must name a column"
                    + (shown.hasPrefix("/")
                        ? "; \(excerpt(shown)) is no JSON Pointer (RFC 6901): ~ is written ~0, and / within a name ~1."
                        : "."))
            return nil
        }
        return path
    }

    private mutating func scalars(_ node: Node, _ label: String) -> [ScalarText] {
        switch node {
        case .sequence(let list):
            if list.isEmpty { report("\(label) in \(place(node)) has an empty list, which nothing is in.") }
            return list.map { item in
                if case .scalar = item { return scalar(item) }
                report("\(label) in \(place(item)) must hold single values.")
                return nil
            }
        case .scalar(let text):
            // An empty scalar is YAML's null as well, and most likely a mistake.
            if text.string.isEmpty, text.style == .plain || text.style == .any {
                report("\(label) in \(place(node)) names no value; to ask for NULL write null.")
            }
            return [scalar(node)]
        default:
            report("\(label) in \(place(node)) must be a value or a list of values.")
            return []
        }
    }

    /// The text of a scalar; nil: it is none, or null.
    func scalar(_ node: Node) -> String? {
        guard case .scalar(let scalar) = node, !Self.isNull(node) else { return nil }
        return scalar.string
    }

    private mutating func unknown(_ key: Node, _ label: String, _ known: [String], hint: String = "") {
        let name = key.string ?? ""
        report(
            "unknown \(label == "field" ? "field" : "key") \(excerpt(name)) \(label == "field" ? "" : "under \(label) ")"
                + "in \(place(key)): the nearest known is \(NearestName.of(name, in: known))\(hint).")
    }

    func place(_ node: Node) -> String { node.mark.map { "\(path), line \($0.line)" } ?? path }

    mutating func report(_ message: String) { problems.append(message) }

    private static func isNull(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}
