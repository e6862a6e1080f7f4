/// Where a value came from, in the order in which they win: a flag over the environment over the file over the default.
enum SettingOrigin: Sendable, Hashable, CustomStringConvertible {
    case flag(String)
    case environment(String)
    case file(String, line: Int?)
    case standard

    var description: String {
        switch self {
        case .flag(let name): name
        case .environment(let name): name
        case .file(let path, let line): line.map { "\(Printable.text(path)), line \($0)" } ?? Printable.text(path)
        case .standard: "default"
        }
    }

    /// Whether the person at the command line can mend it there.
    var isFlag: Bool {
        if case .flag = self { true } else { false }
    }
}

/// One thing that is wrong with the configuration: a sentence that names key, value, what is allowed and the origin.
struct SettingProblem: Sendable, Equatable, CustomStringConvertible {
    var message: String
    var isFromFlag = false

    var description: String { message }
}

/// Everything that is wrong with the configuration, found in one reading.
struct SettingsError: Error, Sendable, CustomStringConvertible {
    var problems: [SettingProblem]

    var description: String { problems.map(\.message).joined(separator: "\n") }
}
