import Bytes

/// Maps rows to contract records. Used by one thread.
final class RowMapper {
    let mapping: SourceMapping
    private let fields: [PlannedField]
    private let deletion: PlannedField?
    /// Those of `carry` that stand in the author, and those that stand beside it.
    private let carriedInAuthor: [PlannedColumn]
    private let carried: [PlannedColumn]
    private let columns: [PlannedColumn]

    /// PostgreSQL stores values apart once a row is longer than some 2,000 bytes; its JSON is longer than the row.
    private static let longRow = 1_900

    init(_ mapping: SourceMapping) {
        self.mapping = mapping
        fields = mapping.fields.map { PlannedField($0, into: mapping.into) }
        deletion = fields.first { $0.kind == .deletion }
        columns = mapping.carry.map { PlannedColumn($0) }
        carriedInAuthor = columns.filter(\.isOfAuthor)
        carried = columns.filter { !$0.isOfAuthor }
    }

    /// - Parameters:
    ///   - kept: values of the row's last record, in place of those that this change leaves out.
    ///   - keepsAll: the row was deleted with long values and has come again: repeated older changes may follow.
    func map(_ row: Row, kept: [KeptField] = [], keepsAll: Bool = false) throws(SourceFailure) -> MappedRecord {
        let length = row.document[row.node].end - row.document[row.node].start
        var writing = RecordWriter(
            values: RowValues(row: row, kept: kept), value: JSONWriter(capacity: length + 256),
            record: MappedRecord(identity: RecordIdentity(topic: mapping.into), value: []),
            keepsLongValues: isLong(row), keepsAll: keepsAll)
        writing.value.begin()
        if let deletion, try writing.noteDeletion(deletion, fields) {
            // Of a deleted question only the id is published, so other values that cannot be written do not matter.
            writing.record.kept = longValues(row, kept: kept)
            return writing.record
        }
        var author = RecordWriter.Author.toCome
        for field in fields {
            if author == .open, !field.isOfAuthor { try close(&author, &writing) }
            try writing.write(field, &author)
        }
        if author == .toCome, !carriedInAuthor.isEmpty { writing.open(&author) }
        if author == .open { try close(&author, &writing) }
        try writing.carry(carried)
        writing.value.end()
        writing.record.value = writing.value.array
        return writing.record
    }

    /// The row's long values as this mapping writes them, for a row that may become this mapping's later: the change
    /// that does so may leave them out.
    func longValues(_ row: Row, kept: [KeptField]) -> [KeptField] {
        guard isLong(row) || !kept.isEmpty else { return [] }
        var writing = RecordWriter(
            values: RowValues(row: row, kept: kept), value: JSONWriter(),
            record: MappedRecord(identity: RecordIdentity(topic: mapping.into), value: []),
            keepsLongValues: isLong(row), keepsAll: false)
        writing.keepLongValues(fields, columns)
        return writing.record.kept
    }

    private func isLong(_ row: Row) -> Bool {
        mapping.format != .json && row.document[row.node].end - row.document[row.node].start > Self.longRow
    }

    private func close(_ author: inout RecordWriter.Author, _ writing: inout RecordWriter) throws(SourceFailure) {
        try writing.carry(carriedInAuthor)
        writing.value.end()
        author = .written
    }

    /// The columns that identify a row's record.
    var identifyingPaths: [RowPath] {
        mapping.conditions.map(\.path)
            + mapping.fields.filter(\.field.isIdentity).flatMap(\.paths)
    }

    /// The identity alone, of a row that may have only its key's columns.
    /// - Returns: nil when a field that the identity needs is missing.
    func identity(_ row: Row) -> RecordIdentity? {
        var identity = RecordIdentity(topic: mapping.into)
        func text(_ name: String) -> String? {
            guard let field = fields.first(where: { $0.name == name }) else { return nil }
            return try? RowValues(row: row, kept: []).id(field)
        }
        switch mapping.into {
        case .questions:
            identity.questionID = text("id")
            return identity.questionID == nil ? nil : identity
        case .answers:
            (identity.answerID, identity.questionID) = (text("id"), text("questionId"))
            return identity.answerID == nil || identity.questionID == nil ? nil : identity
        case .votes:
            (identity.questionID, identity.answerID, identity.voterID) =
                (text("questionId"), text("answerId"), text("voterId"))
            guard identity.answerID != nil else { return nil }
            if identity.questionID == nil, mapping.field("questionId") != nil { return nil }
            return identity.voterID == nil && mapping.field("voterId") != nil ? nil : identity
        }
    }
}
