/// An operator of another language where `where:` has a value.
enum ConditionWord: Equatable {
    case comparison, negation, equality, list, pattern, quotes
    /// `is null`, `not null`.
    case null(isNegated: Bool)

    /// - Parameter text: a value; nil where it looks like one.
    init?(_ text: String) {
        let text = Self.trimmed(text)
        guard text.count > 1, let meaning = Self.meaning(text, text.lowercased()) else { return nil }
        self = meaning
    }

    /// - Parameter name: a key in place of `not`.
    init?(operator name: String) {
        switch name.lowercased().filter({ $0 != "_" && $0 != "-" }) {
        case "gt", "gte", "ge", "lt", "lte", "le", ">", ">=", "<", "<=", "between", "min", "max", "greaterthan",
            "lessthan", "above", "below", "from", "to":
            self = .comparison
        case "ne", "neq", "!=", "<>", "isnot", "notin", "nin", "except", "notequals", "notequal", "!": self = .negation
        case "in", "eq", "equals", "equal", "is", "=", "==", "anyof", "oneof", "values", "value", "any":
            self = .list
        case "like", "ilike", "regex", "regexp", "matches", "match", "contains", "startswith", "endswith", "prefix":
            self = .pattern
        case "null", "isnull": self = .null(isNegated: false)
        case "notnull", "isnotnull", "exists": self = .null(isNegated: true)
        default: return nil
        }
    }

    private static func meaning(_ text: String, _ lower: String) -> ConditionWord? {
        switch lower.filter({ $0 != " " }) {
        case "isnull", "=null": return .null(isNegated: false)
        case "notnull", "isnotnull", "!=null", "<>null", "!null", "not(null)": return .null(isNegated: true)
        default: break
        }
        let begins = { (words: [String]) in words.contains { lower.hasPrefix($0) } }
        if begins(["!=", "<>", "!", "not ", "not("]) { return .negation }
        if begins([">", "<", "\u{2264}", "\u{2265}", "between "]) || isRange(text) {
            // A word in angle brackets is a value.
            return lower.hasPrefix("<") && lower.hasSuffix(">") ? nil : .comparison
        }
        if begins(["="]) { return .equality }
        if begins(["in (", "in(", "any (", "any("]) { return .list }
        if begins(["like ", "ilike ", "~", "regex", "re:", "^"]) || isPattern(text) || isRegularExpression(text) {
            return .pattern
        }
        if isQuoted(text) { return .quotes }
        for separator in ["||", "|", ",", " or "] where lower.contains(separator) {
            let parts = lower.split(separator: separator, omittingEmptySubsequences: false).map(Self.trimmed)
            if parts.allSatisfy({ !$0.isEmpty && !$0.contains(" ") }) { return .list }
        }
        return nil
    }

    /// `1..5`
    private static func isRange(_ text: String) -> Bool { (text.first?.isNumber ?? false) && text.contains("..") }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var rest = Substring(text)
        while rest.first == " " || rest.first == "\t" { rest.removeFirst() }
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return String(rest)
    }

    /// `ans%`, `*swer`; not `50%`.
    private static func isPattern(_ text: String) -> Bool {
        for wildcard: Character in ["%", "*"] where text.first == wildcard || text.last == wildcard {
            if !text.allSatisfy({ $0 == wildcard || $0.isNumber || $0 == "." }) { return true }
        }
        return false
    }

    /// `/answer|poll/i`, `ans.*r`, `[a-z]+`; not a path, `/usr/lib/`.
    private static func isRegularExpression(_ text: String) -> Bool {
        if [".*", ".+", "[a-z", "[A-Z", "[0-9", "\\d+", "\\w+", "\\s+", "(?"].contains(where: text.contains) {
            return true
        }
        guard text.first == "/", let end = text.lastIndex(of: "/"), end != text.startIndex else { return false }
        let inner = text[..<end].dropFirst().replacing("\\/", with: "")
        let flags = text[end...].dropFirst()
        return !text[..<end].dropFirst().isEmpty && !inner.contains("/") && flags.count <= 3
            && flags.allSatisfy { "gimsuxy".contains($0) }
    }

    private static func isQuoted(_ text: String) -> Bool {
        guard text.count > 2, let first = text.first, let last = text.last else { return false }
        return ["''", "\"\"", "``", "\u{201C}\u{201D}", "\u{2018}\u{2019}", "\u{201E}\u{201C}"].contains(
            "\(first)\(last)")
    }

    static let comparesNothing =
        "where: compares nothing, and holds the values that a column must have; leave other rows out before they are "
        + "published, as by the WHERE of a PostgreSQL publication"

    private static let quotesOfTheValue =
        "the quotes would be part of the value; leave them out, or put YAML's quotes around it alone"
    private static let wayOut = "; if that is a value of the column, write a list of it, [\"...\"]"

    /// A clause for people, on a condition of `where:`.
    /// - Parameter text: the value, which may be meant as it is; nil: it was a key.
    func advice(column: String, _ text: String?) -> String {
        let advice =
            switch self {
            case .comparison: Self.comparesNothing
            case .negation: "values that a column must not have are written '\(column): { not: [1, 2] }'"
            case .equality, .list:
                "where: holds the values themselves, several of them as a list, as in '\(column): [question, poll]'"
            case .pattern: "where: knows no patterns, and holds the values that a column must have, in full"
            case .quotes: Self.quotesOfTheValue
            case .null(false): "NULL is written '\(column): null'"
            case .null(true): "rows that have a value are asked for with '\(column): { not: null }'"
            }
        return text == nil ? advice : advice + Self.wayOut
    }

    /// A clause for people, on a field's test.
    /// - Parameter key: `in` or `not`.
    func advice(test key: String) -> String {
        let advice =
            switch self {
            case .comparison:
                "\(key): compares nothing, and holds the values themselves; let the database make a column of the "
                    + "comparison"
            case .negation: "values that make it false are written 'not: [1, 2]'"
            case .equality, .list:
                "\(key): holds the values themselves, several of them as a list, as in '\(key): [1, 2]'"
            case .pattern: "\(key): knows no patterns, and holds the values in full"
            case .quotes: Self.quotesOfTheValue
            case .null(false): "true for NULL is written 'in: null'"
            case .null(true): "true for every value but NULL is written 'not: null'"
            }
        return advice + Self.wayOut
    }
}
