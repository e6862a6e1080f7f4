import Bytes

/// Advice on a mapping whose records are not as it says. For people, not errors, as other rows may be as it says.
extension SourceTranslator {
    /// Columns that the configuration names and a record's row lacks: a misspelled one silently leaves out an optional
    /// field, or passes the row over.
    /// - Returns: columns by the part of a mapping that has looked for them in this row.
    package func missingColumns(
        topic: String, value: Bytes?, headers: SchemaHeaders = .none
    ) -> [MappingPart: Set<MissingColumn>] {
        guard let (source, row) = row(topic, value, headers) else { return [:] }
        let place = (try? source.place(of: row)) ?? nil
        var missing: [MappingPart: Set<MissingColumn>] = [:]
        func look(_ path: RowPath, _ part: MappingPart, _ key: String, _ label: String, _ effect: MissingColumn.Effect)
        {
            missing[part, default: []].formUnion(
                row.missingColumn(path).map { clause in
                    let column = String(decoding: path.column, as: UTF8.self)
                    return [
                        MissingColumn(
                            key: key, column: column, nearest: row.nearestColumn(column),
                            sentence: "\(label): \(clause)",
                            effect: effect, line: source.mappers[part.mapping].mapping.place.lines[key])
                    ]
                } ?? [])
        }
        for (number, mapper) in source.mappers.enumerated() where number <= place ?? .max {
            for condition in mapper.mapping.conditions {
                look(condition.path, .conditions(number), "where \(condition.path.text)", "where", .countsAsNull)
            }
        }
        guard let place else { return missing }
        let mapping = source.mappers[place].mapping
        for field in mapping.fields {
            let name = field.field.name
            let effect: MissingColumn.Effect =
                field.standard != nil ? .defaulted : field.field.isRequired ? .deadLetter : .leftOut
            for path in field.paths { look(path, .fields(place), "fields \(name)", "field '\(name)'", effect) }
        }
        for column in mapping.carry {
            look(column.path, .fields(place), "carry \(column.name)", "carry '\(column.name)'", .leftOut)
        }
        return missing
    }

    /// The reasons why no source takes a record's row, one for each source of the topic.
    /// - Returns: clauses with the row's value and the ones that `where` asks for; empty where a source takes the row.
    package func unmetConditions(topic: String, value: Bytes?, headers: SchemaHeaders = .none) -> [String] {
        guard let (source, row) = row(topic, value, headers), ((try? source.place(of: row)) ?? nil) == nil else {
            return []
        }
        return source.mappers.compactMap { mapper in
            mapper.mapping.conditions.first { !((try? row.meets([$0])) ?? true) }.map { condition in
                let path = condition.path
                let value = (try? row.compared(path, in: row.column(path.column))) ?? .null
                return "for \(mapper.mapping.name), '\(path.text)' \(condition.allowed.phrase), and it is \(value)"
            }
        }
    }

    /// Numbers that are hardly times by the unit that `as:` names, and are by another one.
    /// - Returns: sentences for the mapping that takes the row.
    package func doubtfulUnits(topic: String, value: Bytes?, headers: SchemaHeaders = .none) -> [String] {
        guard let (source, row) = row(topic, value, headers), let place = (try? source.place(of: row)) ?? nil else {
            return []
        }
        return source.mappers[place].mapping.fields.compactMap { field in
            guard field.field.kind == .time, let unit = field.unit, case .path(let path) = field.source,
                let column = row.column(path.column), let value = row.find(path, in: column)
            else { return nil }
            if case .time? = row.type(of: path) { return nil }
            guard let text = value.scalar, let time = TimeText.rfc3339(count: text, unit), !TimeText.isLikely(time),
                let better = TimeUnit.allCases.first(where: {
                    $0 != .rfc3339 && TimeText.rfc3339(count: text, $0).map(TimeText.isLikely) ?? false
                })
            else { return nil }
            return
                "field '\(field.field.name)': '\(path.text)' is \(excerpt(text)), which is \(time) by as: "
                + "\(unit.rawValue), and \(TimeText.rfc3339(count: text, better) ?? "") by as: \(better.rawValue)"
        }
    }

    /// Ids whose columns hold prose, as a title or a body is no key, and those that look like an unsigned integer that
    /// the connector has made negative.
    /// - Returns: sentences for the mapping that takes the row.
    package func doubtfulIDs(topic: String, value: Bytes?, headers: SchemaHeaders = .none) -> [String] {
        guard let (source, row) = row(topic, value, headers), let place = (try? source.place(of: row)) ?? nil else {
            return []
        }
        return source.mappers[place].mapping.fields.filter(\.field.isIdentity).flatMap { field in
            field.paths.compactMap { path in
                guard let value = row.find(path) else { return nil }
                if value.kind == .number, value.text.count > 12, value.text.first == UInt8(ascii: "-") {
                    return
                        "field '\(field.field.name)': '\(path.text)' is \(value.scalar ?? ""); if the column is a BIGINT "
                        + "UNSIGNED, set bigint.unsigned.handling.mode: precise in the connector"
                }
                guard let text = value.string, Self.isProse(text) else { return nil }
                return
                    "field '\(field.field.name)': '\(path.text)' is \(excerpt(text)), a text rather than an id; name "
                    + "the columns of a primary key, or those that refer to one"
            }
        }
    }

    /// Lines, markup, or words in a row.
    private static func isProse(_ text: String) -> Bool {
        text.contains(where: \.isNewline) || text.contains("</") || text.contains("<p>")
            || text.split(separator: " ").count > 4
    }

    /// A record's row, if it is no deletion.
    private func row(_ topic: String, _ value: Bytes?, _ headers: SchemaHeaders) -> (TopicSources, Row)? {
        guard let source = sources[topic], let content = try? content(source, nil, value, headers).value,
            case .upsert(let row)? = try? source.reader.read(value: content.json, schema: content.schema)
        else { return nil }
        return (source, row)
    }
}
