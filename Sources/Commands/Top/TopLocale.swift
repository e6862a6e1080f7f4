import Foundation

/// The character set of the user's locale.
enum TopLocale {
    /// Whether the locale is UTF-8: LC_ALL before LC_CTYPE before LANG, the order of setlocale(3).
    static var isUnicode: Bool { isUnicode(ProcessInfo.processInfo.environment) }

    static func isUnicode(_ environment: [String: String]) -> Bool {
        let value = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let name = value.lowercased()
        return name.contains("utf-8") || name.contains("utf8")
    }
}
