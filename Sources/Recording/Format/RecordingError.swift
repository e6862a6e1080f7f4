/// Why a recording cannot be read or written.
package struct RecordingError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Matter: Sendable {
        /// What is in the file: a bad line, no record at all, another compression than the name says.
        case content
        /// The file cannot be opened, or not be made.
        case unopened
        /// Reading on or writing on failed: a full disk, a closed pipe.
        case io
    }

    package let matter: Matter
    /// The file's name for people: "standard input" for "-".
    package let path: String
    /// Counted from 1; nil where no line is to blame.
    package let line: Int?
    /// What is wrong and what to do, without file and line.
    package let reason: String

    package init(_ matter: Matter, path: String, line: Int? = nil, reason: String) {
        self.matter = matter
        self.path = path
        self.line = line
        self.reason = reason
    }

    package var description: String {
        line.map { "\(path), line \($0): \(reason)" } ?? "\(path): \(reason)"
    }
}
