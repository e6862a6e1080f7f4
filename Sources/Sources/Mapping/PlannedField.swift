import Bytes

/// A field of a mapping, with all that is the same for every row made once. A class, so that passing it on costs one
/// reference count and not those of its parts.
final class PlannedField {
    /// The part of the record's identity that a field gives.
    enum Role { case questionID, answerID, voterID, tally, other }

    let role: Role
    let mapping: FieldMapping
    let name: String
    let kind: ContractField.Kind
    let isRequired: Bool
    let isOfAuthor: Bool
    /// The column or place in one, where the field has one alone.
    let path: RowPath?
    /// `"displayName":`, as it stands in a record.
    let member: [UInt8]
    /// Whether the value is tested or translated before it is written.
    let isTranslated: Bool

    init(_ mapping: FieldMapping, into topic: ContractTopic) {
        self.mapping = mapping
        role =
            switch mapping.field.name {
            case "id": topic == .questions ? .questionID : .answerID
            case "questionId": .questionID
            case "answerId": .answerID
            case "voterId": .voterID
            case "voteCount": .tally
            default: .other
            }
        name = mapping.field.name
        kind = mapping.field.kind
        isRequired = mapping.field.isRequired
        isOfAuthor = mapping.field.isOfAuthor
        path = if case .path(let path) = mapping.source { path } else { nil }
        member = JSONWriter.member(mapping.field.lastName)
        isTranslated = mapping.test != nil || mapping.standard != nil || mapping.replacements != nil
    }

    /// The field and its columns, to begin a sentence about it.
    var subject: String { "field '\(name)': \(mapping.sourceText)" }

    /// The name under which a value of the field is kept.
    var keptName: String { path.map { KeptField.name(name, $0) } ?? name }
}

/// A column of `carry:`, with its member's name made once.
final class PlannedColumn {
    let path: RowPath
    /// `"lang":`, as it stands in a record.
    let member: [UInt8]
    let isOfAuthor: Bool
    /// The name under which a value of the column is kept.
    let keptName: String

    init(_ column: CarriedColumn) {
        path = column.path
        isOfAuthor = column.name.hasPrefix(ContractField.authorPrefix)
        member = JSONWriter.member(
            isOfAuthor ? String(column.name.dropFirst(ContractField.authorPrefix.count)) : column.name)
        keptName = KeptField.name("carry " + column.name, column.path)
    }
}
