import Throughput

/// News of one source of `top`.
struct TopUpdate: Sendable {
    enum News: Sendable {
        /// Earlier lines, oldest first.
        case history([ThroughputLine])
        case line(ThroughputLine)
        /// The source cannot be read at the moment; the reason is the end of a sentence.
        case lost(String)
        /// The log's last line gives the reason for its worker's end; a worker that is started again may write on.
        case stopped(String)
        /// The source has ended.
        case ended(String)
    }

    /// Index of the source.
    var source: Int
    var news: News
}

/// A source of `top`.
enum TopSource: Sendable, Equatable {
    case worker(HealthCommand.Target)
    /// `-` is standard input.
    case log(String)

    /// Display name.
    var name: String {
        switch self {
        case .worker(let target): target.text + target.path
        case .log(let path): path == "-" ? "standard input" : path
        }
    }
}
