import Bytes

/// Advice on mappings that name columns which a row lacks.
extension SourceTranslator {
    /// Columns that the configuration names and a record's row lacks: a misspelled one silently leaves out an optional
    /// field, or passes the row over. Advice for people, not an error, as older rows may lack columns.
    /// - Returns: sentences with the nearest column, by `where` or the name of the mapping that takes the row.
    package func missingColumns(
        topic: String, value: Bytes?, headers: SchemaHeaders = .none
    ) -> [String: Set<String>] {
        guard let source = sources[topic], let content = try? content(source, nil, value, headers).value,
            case .upsert(let row)? = try? source.reader.read(value: content.json, schema: content.schema)
        else { return [:] }
        let place = (try? source.place(of: row)) ?? nil
        var missing: [String: Set<String>] = [:]
        func look(_ path: RowPath, _ label: String, _ group: String) {
            missing[group, default: []].formUnion(row.missingColumn(path).map { ["\(label): \($0)"] } ?? [])
        }
        for (number, mapper) in source.mappers.enumerated() where number <= place ?? .max {
            for condition in mapper.mapping.conditions { look(condition.path, "where", "where") }
        }
        guard let place else { return missing }
        let mapping = source.mappers[place].mapping
        for field in mapping.fields {
            for path in field.paths { look(path, "field '\(field.field.name)'", mapping.name) }
        }
        for column in mapping.carry { look(column.path, "carry '\(column.name)'", mapping.name) }
        return missing
    }
}
