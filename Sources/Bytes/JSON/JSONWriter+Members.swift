// Objects as text, with the members in the order given: people read them, and Foundation's encoder has alphabetical
// order only.
extension JSONWriter {
    /// `text` as a JSON string with its quotes.
    package static func string(_ text: String) -> String {
        var writer = JSONWriter(.lines, capacity: text.utf8.count + 16)
        writer.string(text)
        return writer.text
    }

    /// An object's text.
    /// - Parameter members: adds the members.
    package static func object(_ members: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(.lines)
        writer.object(members)
        return writer.text
    }

    /// An array's text, with an object for each element.
    package static func array<Element>(
        of elements: [Element], _ members: (Element, inout JSONWriter) -> Void
    ) -> String {
        var writer = JSONWriter(.lines)
        writer.array(of: elements, members)
        return writer.text
    }

    private mutating func object(_ members: (inout JSONWriter) -> Void) {
        begin()
        members(&self)
        end()
    }

    private mutating func array<Element>(of elements: [Element], _ members: (Element, inout JSONWriter) -> Void) {
        raw("[")
        for (index, element) in elements.enumerated() {
            if index > 0 { raw(",") }
            object { members(element, &$0) }
        }
        raw("]")
    }

    /// A member with a string.
    package mutating func add(_ name: String, _ value: String) {
        self.name(name)
        string(value)
    }

    /// A member with a whole number.
    package mutating func add(_ name: String, _ value: some BinaryInteger) {
        self.name(name)
        number(value)
    }

    /// - Parameter value: finite; else it is written as 0.
    package mutating func add(_ name: String, _ value: Double) {
        addJSON(name, value.isFinite ? value.description : "0")
    }

    /// In order of the keys.
    package mutating func add(_ name: String, _ entries: [String: some BinaryInteger]) {
        self.name(name)
        object { object in
            for (key, value) in entries.sorted(by: { $0.key < $1.key }) { object.add(key, value) }
        }
    }

    /// A member with an array of whole numbers.
    package mutating func add(_ name: String, _ values: [some BinaryInteger]) {
        addJSON(name, "[" + values.map(\.description).joined(separator: ",") + "]")
    }

    /// A member with an object.
    /// - Parameter members: adds the object's members, in order.
    package mutating func add(_ name: String, _ members: (inout JSONWriter) -> Void) {
        self.name(name)
        object(members)
    }

    /// A member with an array of objects, one for each element.
    package mutating func add<Element>(
        _ name: String, each elements: [Element], _ members: (Element, inout JSONWriter) -> Void
    ) {
        self.name(name)
        array(of: elements, members)
    }

    /// - Parameter json: JSON.
    package mutating func addJSON(_ name: String, _ json: String) {
        self.name(name)
        raw(json: json)
    }
}
