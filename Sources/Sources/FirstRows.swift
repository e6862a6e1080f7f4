import Bytes

/// A review of a topic's first records, for mistakes in its mappings that no reading of the configuration shows.
struct FirstRows {
    /// The number of records that are reviewed.
    static let most = 100
    /// The number of rows after which a column counts as misspelled though rows may leave out their NULLs.
    private static let enough = 20

    /// Whether every row has all columns of its table.
    let isComplete: Bool
    private var records = 0
    private var refused = 0
    private var reason = ""
    private var parts: [MappingPart: Part] = [:]
    private var toldOfRefusals = false

    private struct Part {
        var rows = 0
        /// Columns that none of the rows has.
        var missing: Set<MissingColumn>
        var told: Set<MissingColumn> = []
    }

    init(isComplete: Bool) { self.isComplete = isComplete }

    var isOver: Bool { records >= Self.most }

    /// - Parameter refusal: why the record cannot be mapped; nil: it can.
    mutating func note(_ missing: [MappingPart: Set<MissingColumn>], refusal: String?) {
        records += 1
        if let refusal { (refused, reason) = (refused + 1, refusal) }
        for (part, columns) in missing {
            parts[part, default: Part(missing: columns)].missing.formIntersection(columns)
            parts[part]?.rows += 1
        }
    }

    /// The findings of the records so far, each once.
    mutating func takeFindings() -> [MappingFinding.Kind] {
        var found: [MappingFinding.Kind] = []
        var explainsRefusals = false
        for (name, part) in parts {
            for column in part.missing {
                if column.effect == .deadLetter { explainsRefusals = true }
                let isTold =
                    isComplete || column.effect == .deadLetter || part.rows >= Self.enough && column.isMisspelled
                guard isTold, !part.told.contains(column)
                else { continue }
                parts[name]?.told.insert(column)
                found.append(.missing(column, mapping: name.mapping, rows: part.rows))
            }
        }
        if !explainsRefusals, !toldOfRefusals, refused == records, refused >= Self.enough {
            toldOfRefusals = true
            found.append(.refused(reason: reason, records: records))
        }
        return found
    }
}

/// A likely mistake in a mapping, found in a topic's first records.
package struct MappingFinding: Sendable {
    /// The finding, with its figures.
    package enum Kind: Sendable {
        /// No row has a column.
        case missing(MissingColumn, mapping: Int, rows: Int)
        /// Every record is refused, for the last one's reason.
        case refused(reason: String, records: Int)
    }

    /// The source's topic.
    package let topic: String
    /// The finding, with its figures.
    package let kind: Kind
    /// The file, or the preset, in which the mapping stands.
    package let file: String
    /// The mapping's or the column's line in ``file``; nil: not known.
    package let line: Int?
}

extension SourceTranslator {
    /// Begins to review the first records of each topic.
    package func beginReview() {
        for (topic, source) in sources { reviews[topic] = FirstRows(isComplete: source.reader.format != .json) }
    }

    /// Whether records are still reviewed.
    package var isReviewing: Bool { !reviews.isEmpty }

    /// Reviews a record that was translated.
    /// - Parameter refusal: why it cannot be mapped; nil: it can.
    package func review(topic: String, value: Bytes?, headers: SchemaHeaders, refusal: String?) {
        guard let review = reviews[topic], !review.isOver, value != nil else { return }
        reviews[topic]?.note(missingColumns(topic: topic, value: value, headers: headers), refusal: refusal)
    }

    /// The findings of the records reviewed so far, each once. Ends the reviews that are over.
    package func takeFindings() -> [MappingFinding] {
        reviews.keys.sorted().flatMap { topic -> [MappingFinding] in
            let kinds = reviews[topic]?.takeFindings() ?? []
            if reviews[topic]?.isOver ?? false { reviews[topic] = nil }
            let mappings = sources[topic]?.mappers.map(\.mapping) ?? []
            return kinds.map { kind in
                switch kind {
                case .missing(let column, let mapping, _):
                    MappingFinding(topic: topic, kind: kind, file: mappings[mapping].place.file, line: column.line)
                case .refused:
                    MappingFinding(
                        topic: topic, kind: kind, file: mappings[0].place.file, line: mappings[0].place.lines["topic"])
                }
            }
        }
    }
}
