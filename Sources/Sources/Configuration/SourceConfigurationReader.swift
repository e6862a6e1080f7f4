import Bytes
import Yams

/// Reads `sources:` in a configuration file. Finds all problems in one reading: each is a sentence with file, line and
/// key, and the nearest known word for an unknown one.
package struct SourceConfigurationReader {
    let path: String
    /// The entries without a problem, and those of the presets, in their order.
    package private(set) var mappings: [SourceMapping] = []
    /// Sentences with file, line and key, in the order of the file.
    package private(set) var problems: [String] = []
    private var formats: [String: (format: SourceFormat, line: Int?)] = [:]
    /// Of the entry that is read.
    private var format: SourceFormat?
    private var lines: [String: Int] = [:]

    /// The line of the first entry that reads a topic.
    package func line(ofTopic topic: String) -> Int? { formats[topic]?.line }

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
        for (key, _) in entry where !Self.keys.contains(key.string ?? "") {
            if isField(key.string), entry["fields"].map(Self.isNull) ?? true {
                report(
                    "\(excerpt(key.string ?? "")) in \(place(key)) is a field: put it under fields:, two spaces "
                        + "further in."
                )
            } else {
                unknown(key, "sources", Self.keys, aliases: OtherNames.keys)
            }
        }
        // Keys beside fields: that belong under it are reported above.
        if problems.count > before, entry["fields"].map(Self.isNull) ?? false { return }
        format = nil
        if let preset = entry["preset"] { return readPreset(preset, entry, node) }
        if let prefix = entry["topicPrefix"] {
            report("topicPrefix in \(place(prefix)) belongs to a preset; an entry without one names its topic.")
        }
        let topic = topic(entry, node)
        lines = [:]
        note(line: node, of: "topic")
        format = choice(entry, "format", SourceFormat.self, node, aliases: OtherNames.formats)
        let into = choice(entry, "into", ContractTopic.self, node, aliases: OtherNames.topics)
        let conditions = readConditions(entry["where"])
        guard let into else { return }
        let fields = readFields(entry["fields"], into, node)
        let carry = readCarry(entry["carry"], into)
        guard problems.count == before, let topic, let format else { return }
        add(
            SourceMapping(
                topic: topic, format: format, conditions: conditions, into: into, fields: fields, carry: carry,
                place: MappingPlace(file: path, lines: lines)), node)
    }

    private mutating func add(_ mapping: SourceMapping, _ node: Node) {
        if let other = formats[mapping.topic], other.format != mapping.format {
            return report(
                "the topic '\(mapping.topic)' is read as \(mapping.format.rawValue) in \(place(node)) and as "
                    + "\(other.format.rawValue) in line \(other.line ?? 0); a topic has one format.")
        }
        formats[mapping.topic] = (mapping.format, node.mark?.line)
        if let above = mappings.first(where: {
            $0.topic == mapping.topic && !$0.conditions.isEmpty && $0.takesAllRows(of: mapping)
        }) {
            let isSame = above.conditions == mapping.conditions
            return report(
                "the entry in \(place(node)) would never get a row: an entry for the topic '\(mapping.topic)' above it "
                    + "has "
                    + (isSame
                        ? "the same where: and takes them all; change one of the two."
                        : "a where: that all of them meet, and takes them; put the narrower one first."))
        }
        if mappings.contains(where: { $0.topic == mapping.topic && $0.conditions.isEmpty }) {
            return report(
                "the entry in \(place(node)) would never get a row: an entry for the topic '\(mapping.topic)' above it "
                    + "has no where: and takes them all; put that one last, or give it a where:.")
        }
        mappings.append(mapping)
    }

    private mutating func topic(_ entry: Node.Mapping, _ node: Node) -> String? {
        guard let topic = entry["topic"] else {
            report("the entry of sources in \(place(node)) has no topic: name the topic that is consumed.")
            return nil
        }
        guard let name = scalar(topic) else {
            report("topic in \(place(topic)) must be the name of one topic; write an entry for each topic.")
            return nil
        }
        guard Self.isTopicName(name) else {
            let isPattern = name.contains("*") || name.hasPrefix("^")
            report(
                "topic in \(place(topic)) is no topic name: 1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-'"
                    + (isPattern ? "; a pattern is none: write an entry for each topic." : "."))
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
        _ entry: Node.Mapping, _ key: String, _: Choice.Type, _ node: Node, aliases: [String: String]
    ) -> Choice? where Choice.RawValue == String {
        let words = Choice.allCases.map(\.rawValue)
        guard let value = entry[key] else {
            report(
                "the entry of sources in \(place(node)) has no \(key): it is one of \(words.joined(separator: ", ")).")
            return nil
        }
        guard let text = scalar(value), let choice = Choice(rawValue: text) else {
            report(wrongWord(value, key, words, aliases: aliases))
            return nil
        }
        return choice
    }

    /// - Parameter aliases: other names, and the word that each stands for.
    func wrongWord(_ value: Node, _ key: String, _ words: [String], aliases: [String: String] = [:]) -> String {
        guard let text = scalar(value) else {
            return "\(key) in \(place(value)) must be one of \(words.joined(separator: ", "))."
        }
        return
            "\(key) in \(place(value)) is \(excerpt(text)), not one of \(words.joined(separator: ", ")); the nearest "
            + "is \(NearestName.of(text, in: words, aliases: aliases))."
    }

    private mutating func readPreset(_ preset: Node, _ entry: Node.Mapping, _ node: Node) {
        for (key, _) in entry {
            guard let name = key.string, Self.keys.contains(name), !["preset", "topicPrefix", "format"].contains(name)
            else {
                continue
            }
            report(
                "\(name) in \(place(key)) does not go with preset: print the preset with 'rejoinder sources show', and "
                    + "change the copy.")
        }
        guard let name = scalar(preset), let known = SourcePreset(rawValue: name) else {
            return report(wrongWord(preset, "preset", SourcePreset.allCases.map(\.rawValue)))
        }
        guard let prefix = entry["topicPrefix"].flatMap({ scalar($0) }), Self.isTopicName(prefix) else {
            return report(
                "the preset \(name) in \(place(preset)) needs a topicPrefix: what stands before the tables' names in "
                    + "the topics', as forum.public in forum.public.\(known.exampleTable).")
        }
        if prefix.hasSuffix(".") {
            report(
                "topicPrefix in \(place(entry["topicPrefix"] ?? node)) ends in a dot, which comes by itself: write "
                    + "'\(prefix.dropLast())'.")
        }
        let format =
            entry["format"] == nil ? nil : choice(entry, "format", SourceFormat.self, node, aliases: OtherNames.formats)
        for mapping in known.mappings(topicPrefix: prefix) {
            var mapping = mapping
            if let format { mapping.format = format }
            add(mapping, node)
        }
    }

    /// Whether any of the topics has a field of that name.
    private func isField(_ name: String?) -> Bool {
        ContractTopic.allCases.contains { topic in ContractField.all(of: topic).contains { $0.name == name } }
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
                        "carry in \(place(item)) has a JSON Pointer, which needs a name: write 'carry: { name: "
                            + "\(path.text) }'."
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
                "carry in \(place(node)) names \(column.name), which is a field of the \(into.noun); put it under "
                    + "fields:, or carry it under another name, as in 'carry: { source_\(column.path.text): "
                    + "\(column.path.text) }'."
            )
        }
        if columns.contains(where: { $0.name == column.name }) {
            return report("carry in \(place(node)) names \(column.name) twice; keep one.")
        }
        note(line: node, of: "carry \(column.name)")
        columns.append(column)
    }

    // MARK: - Helpers

    /// - Parameter isAsWritten: a pointer through Debezium's envelope is meant as it is.
    mutating func rowPath(_ node: Node, _ label: String, isAsWritten: Bool = false) -> RowPath? {
        guard let text = scalar(node) else {
            report("\(label) in \(place(node)) must name a column.")
            return nil
        }
        if let advice = ColumnName.advice(on: text, isPlain: isPlain(node)) {
            report("\(label) in \(place(node)) names no column: \(advice).")
            return nil
        }
        guard let path = RowPath(text) else {
            report(
                "\(label) in \(place(node)) must name a column"
                    + (text.hasPrefix("/")
                        ? "; \(excerpt(text)) is no JSON Pointer (RFC 6901): ~ is written ~0, and / within a name ~1."
                        : "."))
            return nil
        }
        if !isAsWritten, let format, format != .json, let advice = ColumnName.advice(onPointer: path, label) {
            report("\(label) in \(place(node)) is \(excerpt(text)): \(advice).")
            return nil
        }
        return path
    }

    /// Notes where a key of the entry stands.
    mutating func note(line node: Node, of key: String) { lines[key] = node.mark?.line }

    mutating func scalars(_ node: Node, _ label: String) -> [ScalarText] {
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
            if text.string.isEmpty, isPlain(node) {
                report("\(label) in \(place(node)) names no value; to ask for NULL write null.")
            }
            if !isPlain(node), ["null", "~"].contains(text.string.lowercased()) {
                report(
                    "\(label) in \(place(node)) has \(excerpt(text.string)) in quotes, which is a text: for NULL leave "
                        + "the quotes out, and for that text write a list of it, [\"\(text.string)\"].")
            }
            return [scalar(node)]
        default:
            report("\(label) in \(place(node)) must be a value or a list of values.")
            return []
        }
    }

    private func isPlain(_ node: Node) -> Bool { node.scalar.map { $0.style == .plain || $0.style == .any } ?? false }

    /// The text of a scalar; nil: it is none, or null.
    func scalar(_ node: Node) -> String? {
        guard case .scalar(let scalar) = node, !Self.isNull(node) else { return nil }
        return scalar.string
    }

    /// - Parameter aliases: other names, and the known one that each stands for.
    mutating func unknown(
        _ key: Node, _ label: String, _ known: [String], aliases: [String: String] = [:], hint: String = ""
    ) {
        let name = key.string ?? ""
        report(
            "unknown \(label == "field" ? "field" : "key") \(excerpt(name)) "
                + "\(label == "field" ? "" : "under \(label) ")in \(place(key)): the nearest known is "
                + "\(NearestName.of(name, in: known, aliases: aliases))\(hint).")
    }

    func place(_ node: Node) -> String { node.mark.map { "\(path), line \($0.line)" } ?? path }

    mutating func report(_ message: String) { problems.append(message) }

    static func isNull(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}
