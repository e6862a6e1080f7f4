import Bytes

/// JSON objects as text, with the fields in the order given: people read them, and Foundation's encoder has
/// alphabetical order only.
package struct JSONObject {
    package private(set) var text = "{"
    private var isEmpty = true

    /// - Parameter fields: adds the fields.
    package static func text(_ fields: (inout JSONObject) -> Void) -> String {
        var object = JSONObject()
        fields(&object)
        object.text += "}"
        return object.text
    }

    private init() {}

    package mutating func add(_ name: String, _ value: some BinaryInteger) { add(name, raw: value.description) }

    /// - Parameter value: finite; else it is written as 0.
    package mutating func add(_ name: String, _ value: Double) {
        add(name, raw: value.isFinite ? value.description : "0")
    }

    package mutating func add(_ name: String, _ value: String) {
        begin(name)
        JSONText.append(value, to: &text)
    }

    /// In order of the keys.
    package mutating func add(_ name: String, _ entries: [String: some BinaryInteger]) {
        begin(name)
        text += "{"
        for (index, entry) in entries.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { text += "," }
            JSONText.append(entry.key, to: &text)
            text += ":"
            text += entry.value.description
        }
        text += "}"
    }

    package mutating func add(_ name: String, _ values: [some BinaryInteger]) {
        add(name, raw: "[" + values.map(\.description).joined(separator: ",") + "]")
    }

    package mutating func add(_ name: String, _ fields: (inout JSONObject) -> Void) {
        add(name, raw: JSONObject.text(fields))
    }

    package mutating func add<Element>(
        _ name: String, each elements: [Element], _ fields: (Element, inout JSONObject) -> Void
    ) {
        let objects = elements.map { element in JSONObject.text { fields(element, &$0) } }
        add(name, raw: "[" + objects.joined(separator: ",") + "]")
    }

    package mutating func addJSON(_ name: String, _ json: String) { add(name, raw: json) }

    /// - Parameter raw: JSON.
    private mutating func add(_ name: String, raw: String) {
        begin(name)
        text += raw
    }

    /// - Parameter name: needs no escapes.
    private mutating func begin(_ name: String) {
        text += isEmpty ? "\"" : ",\""
        isEmpty = false
        text += name
        text += "\":"
    }
}
