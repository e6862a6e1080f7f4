/// A row's value, as the values of `where:`, `in:`, `not:` and `map:` are compared with it.
enum ComparedValue: Equatable, CustomStringConvertible {
    case null
    case text(String)
    /// Equal to every way of writing the number: 1, 1.0 and 1.00.
    case number(String)
    /// Equal to every word for it: true, t, 1, yes.
    case boolean(Bool)

    init(_ value: RowValue) {
        switch value.kind {
        case .null: self = .null
        case .boolean: self = .boolean(value.text.count == 4)
        case .number: self = .number(value.scalar ?? "")
        case .string, .object, .array: self = .text(value.scalar ?? "")
        }
    }

    /// For people.
    var description: String {
        switch self {
        case .null: "NULL"
        case .text(let text), .number(let text): excerpt(text)
        case .boolean(let value): "\(value)"
        }
    }

    /// - Parameter word: as the configuration has it.
    func equals(_ word: ScalarText) -> Bool {
        guard let word else { return self == .null }
        switch self {
        case .null: return false
        case .text(let text): return text == word
        case .number(let number): return number == word || DecimalText.areEqual(number, word)
        case .boolean(let value): return !word.isEmpty && BooleanText.value(of: word) == value
        }
    }

    /// The value of the first key that equals this one, in the keys' order.
    func value(in map: [String: String]) -> String? {
        map.keys.sorted().first { equals($0) }.flatMap { map[$0] }
    }
}
