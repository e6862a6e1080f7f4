/// The reason why a recording cannot be read or written.
package struct RecordingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of the error, by which a command chooses its exit status.
    package enum Matter: Sendable {
        /// The file's content is wrong: a bad line, no record at all, another compression than the name says.
        case content
        /// The file cannot be opened or created.
        case unopened
        /// Reading or writing failed on the way: a full disk, a closed pipe.
        case io
    }

    /// The kind.
    package let matter: Matter
    /// The file's name for people: "standard input" for "-".
    package let path: String
    /// Counted from 1; nil for an error that no line has caused.
    package let line: Int?
    /// The problem and its remedy, without file and line.
    package let reason: String

    /// - Parameters:
    ///   - path: the file's name for people.
    ///   - line: counted from 1; nil for an error that no line has caused.
    ///   - reason: the problem and its remedy.
    package init(_ matter: Matter, path: String, line: Int? = nil, reason: String) {
        self.matter = matter
        self.path = path
        self.line = line
        self.reason = reason
    }

    /// File, line and reason in a sentence for people.
    package var description: String {
        line.map { "\(path), line \($0): \(reason)" } ?? "\(path): \(reason)"
    }
}
