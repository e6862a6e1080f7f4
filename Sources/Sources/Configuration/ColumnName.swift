/// Advice on texts that stand where a column's name does, and that are most likely meant as something else.
enum ColumnName {
    /// A clause for people; nil: the text is a column's name, or a JSON Pointer.
    ///
    /// A pointer of one step names every column, whatever its name: it is the way out for a strange name.
    /// - Parameter isPlain: the text has no quotes around it.
    static func advice(on text: String, isPlain: Bool) -> String? {
        guard !text.hasPrefix("/") else {
            return text == "/" ? "'/' is a JSON Pointer to a column without a name" : nil
        }
        guard !text.isEmpty, let meaning = meaning(text, isPlain: isPlain) else { return nil }
        let pointer = "/" + text.replacing("~", with: "~0").replacing("/", with: "~1")
        return meaning + "; if the column is called \(excerpt(text)), write '\(pointer)'"
    }

    /// A clause for people on a pointer that leads through Debezium's envelope, which the row is already taken out of;
    /// nil: it leads into a column. A column of JSON may have such a name, but hardly holds the row's id.
    /// - Parameter label: the place in the configuration, as in `fields id`.
    static func advice(onPointer path: RowPath, _ label: String) -> String? {
        let steps = path.steps.map { String(decoding: $0, as: UTF8.self) }
        let inner = steps.first == "payload" ? steps.dropFirst() : steps[...]
        guard inner.count > 1, let state = inner.first, state == "after" || state == "before" else { return nil }
        let isIdentity = ContractTopic.allCases.contains { topic in
            ContractField.all(of: topic).contains { $0.isIdentity && label == "fields \($0.name)" }
        }
        guard isIdentity || inner.count < steps.count else { return nil }
        let rest = inner.dropFirst().map { $0.replacing("~", with: "~0").replacing("/", with: "~1") }
        let first = inner.dropFirst().first ?? ""
        let isPlain = rest.count == 1 && !first.isEmpty && !first.hasPrefix("/") && meaning(first, isPlain: true) == nil
        return
            "the row is what stands in the change's '\(state)', and its columns are named alone: write "
            + (isPlain ? excerpt(first) : "'/\(rest.joined(separator: "/"))'")
            + (isIdentity ? "; if \(excerpt(steps[0])) is a column, write '{ from: [\(path.text)], join: \"\" }'" : "")
    }

    private static func meaning(_ text: String, isPlain: Bool) -> String? {
        if isPlain, text == "true" || text == "false" || DecimalText.isNumber(text) {
            return "\(excerpt(text)) is a value; the same value in every record is written '{ constant: \(text) }'"
        }
        if text.first == " " || text.last == " " || text.first == "\t" || text.last == "\t" {
            return "\(excerpt(text)) has a space at its end or beginning"
        }
        for prefix in ["payload.after.", "payload.", "after.", "before."] where text.hasPrefix(prefix) {
            return
                "name the column alone, \(excerpt(String(text.dropFirst(prefix.count)))): the row is what stands in "
                + "the change's 'after'"
        }
        if text.hasPrefix("$") || text.hasPrefix("#") || text.contains("[") || text.contains("/") || text.contains("->")
        {
            return
                "a place in a column is written as a JSON Pointer, which begins with /, as in \(excerpt(pointer(text)))"
        }
        if text.contains(where: { "\"'`\u{201C}\u{201D}".contains($0) }) {
            return "a column stands without the database's quotes"
        }
        if text.contains("*") { return "there is no wildcard; name each column" }
        if text.contains("::") || text.contains(where: { "(){}+|".contains($0) }) {
            return "\(excerpt(text)) is an expression; a field is one column, and an id of several is written "
                + "'{ from: [site, id], join: \"-\" }'"
        }
        return nil
    }

    /// `meta.names[0]`, `$.meta.names[0]`, `#/meta/names`, `meta->'names'` as pointers.
    private static func pointer(_ text: String) -> String {
        let path = text.drop { $0 == "$" || $0 == "#" }
        let steps = path.split { "./[]->'\"".contains($0) }
        return "/" + steps.joined(separator: "/")
    }
}
