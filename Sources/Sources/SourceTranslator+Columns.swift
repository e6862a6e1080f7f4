import Records

/// What people are told of a mapping that names columns which are not there.
extension SourceTranslator {
    /// Columns that are named in the configuration and that a record's row has not: a slip of the finger leaves an optional field
    /// out, or passes a row over, without a word. For people who look, as rows of another time may lack columns.
    /// - Returns: sentences with the nearest column, by what they are of: `where:`, or the mapping that takes the row.
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
