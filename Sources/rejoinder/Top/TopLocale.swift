import Foundation

/// What the terminal's user can be shown.
enum TopLocale {
    /// Whether the locale's characters are UTF-8: LC_ALL before LC_CTYPE before LANG, as setlocale(3) has them.
    static var isUnicode: Bool { isUnicode(ProcessInfo.processInfo.environment) }

    static func isUnicode(_ environment: [String: String]) -> Bool {
        let value = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let name = value.lowercased()
        return name.contains("utf-8") || name.contains("utf8")
    }
}
