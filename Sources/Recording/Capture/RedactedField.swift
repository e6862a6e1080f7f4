/// A JSON field whose text is replaced, chosen by its name or by the last parts of its path.
package struct RedactedField: Sendable, Equatable {
    /// The name as given.
    package let name: String
    /// The path's parts, outermost first.
    let parts: [[UInt8]]

    /// Fields that join, order or date records. With other text in them a replay would not be the same case.
    private static let structural: Set = [
        "id", "questionId", "answerId", "askedAt", "answeredAt", "castAt", "countedAt",
    ]

    /// - Parameter name: "displayName" means every field of this name; "author.displayName" one in an "author", at any
    ///   depth. Arrays in between do not count.
    /// - Throws: for an invalid name, and for fields that hold the records together.
    package init(_ name: String) throws(CaptureError) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty }) else {
            throw CaptureError(
                .usage, "'\(name)' names no field; say a name (displayName) or a path (author.displayName).")
        }
        let last = String(parts[parts.count - 1])
        let parent = parts.count > 1 ? String(parts[parts.count - 2]) : nil
        if Self.structural.contains(last), parent == nil || parent == "question" || parent == "answer" {
            let isID = last.hasSuffix("d")
            let reason =
                isID
                ? "records are joined by it, and two ids could become one"
                : "with other digits it would be no time any more"
            let hint = last == "id" ? "; the id of an author is author.id" : ""
            throw CaptureError(.usage, "'\(name)' cannot be redacted: \(reason)\(hint). Leave it out.")
        }
        self.name = name
        self.parts = parts.map { Array($0.utf8) }
    }
}
