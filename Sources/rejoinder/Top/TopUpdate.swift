import Monitoring

/// What a source of `top` tells: which worker, and what of it is new.
struct TopUpdate: Sendable {
    enum News: Sendable {
        /// What was, oldest first.
        case history([ThroughputLine])
        case line(ThroughputLine)
        /// Nothing can be read at the moment; the reason is the end of a sentence.
        case lost(String)
        /// Nothing will come any more.
        case ended(String)
    }

    /// Its place among the sources.
    var source: Int
    var news: News
}

/// Where `top` looks.
enum TopSource: Sendable, Equatable {
    case worker(HealthCommand.Target)
    /// `-` is standard input.
    case log(String)

    /// For people.
    var name: String {
        switch self {
        case .worker(let target): target.text + target.path
        case .log(let path): path == "-" ? "standard input" : path
        }
    }
}
