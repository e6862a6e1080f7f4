/// The source of a value, by precedence: a flag over the environment over the file over the default.
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

    /// Whether the value can be corrected on the command line.
    var isFlag: Bool {
        if case .flag = self { true } else { false }
    }
}

/// A fault of the configuration: a sentence that names key, value, the allowed values and the origin.
struct SettingProblem: Sendable, Equatable, CustomStringConvertible {
    var message: String
    var isFromFlag = false

    var description: String { message }
}

/// All faults of the configuration, found in one reading.
struct SettingsError: Error, Sendable, CustomStringConvertible {
    var problems: [SettingProblem]

    var description: String { problems.map(\.message).joined(separator: "\n") }
}
