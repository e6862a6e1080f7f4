/// A JSON text that is read once and kept: owns its bytes and their parsed form. Confined to one thread.
package final class JSONTree {
    /// The parsed text, for readers of source bytes. The tree owns its memory.
    package let document = JSONDocument()
    private let memory: UnsafeMutableRawBufferPointer

    /// - Returns: nil where the bytes are not one whole JSON value (RFC 8259), or nest deeper than `deepest` levels.
    package init?(_ text: Bytes, deepest: Int = .max) {
        memory = .allocate(byteCount: text.count, alignment: 1)
        memory.copyMemory(from: text)
        guard (try? document.read(Bytes(memory))) != nil else { return nil }
        guard deepest < .max else { return }
        var ends: [Int] = []
        for index in 0..<document.count where document[index].kind == .object || document[index].kind == .array {
            while let end = ends.last, end <= index { ends.removeLast() }
            ends.append(document[index].next)
            guard ends.count <= deepest else { return nil }
        }
    }

    /// Reads a text. - Returns: nil as ``init(_:deepest:)``.
    package static func read(_ text: String, deepest: Int = .max) -> JSONTree? {
        var text = text
        return text.withUTF8 { JSONTree(Bytes($0), deepest: deepest) }
    }

    deinit { memory.deallocate() }

    /// The value of the whole text.
    package var root: JSONValue { JSONValue(tree: self, index: JSONDocument.root) }
}

/// A value of a ``JSONTree``, which it keeps.
package struct JSONValue {
    private let tree: JSONTree
    /// Below 0: a null that the text does not have.
    private let index: Int

    fileprivate init(tree: JSONTree, index: Int) {
        self.tree = tree
        self.index = index
    }

    /// Reads a text. - Returns: nil as ``JSONTree/init(_:deepest:)``.
    package init?(_ text: Bytes, deepest: Int = .max) {
        guard let tree = JSONTree(text, deepest: deepest) else { return nil }
        self = tree.root
    }

    /// Reads a text. - Returns: nil as ``JSONTree/init(_:deepest:)``.
    package init?(_ text: String, deepest: Int = .max) {
        guard let tree = JSONTree.read(text, deepest: deepest) else { return nil }
        self = tree.root
    }

    /// Null also for a member that the text does not have.
    package var kind: JSONDocument.Kind { index < 0 ? .null : tree.document[index].kind }

    /// The value as written.
    package var source: String {
        index < 0 ? "null" : String(decoding: tree.document.text(of: index), as: UTF8.self)
    }

    /// An object's member; the first of several.
    package subscript(name: String) -> JSONValue? {
        var name = name
        guard kind == .object, let member = name.withUTF8({ tree.document.member(Bytes($0), of: index) }) else {
            return nil
        }
        return JSONValue(tree: tree, index: member)
    }

    /// An object's member; null where there is none.
    package func member(_ name: String) -> JSONValue { self[name] ?? JSONValue(tree: tree, index: -1) }

    /// An object's members, in their order; none of other values.
    package var members: [(name: String, value: JSONValue)] {
        kind == .object ? children.map { (tree.document.name(of: $0.index, loneSurrogates: .replaced), $0) } : []
    }

    /// An array's elements; nil of other values.
    package var elements: [JSONValue]? { kind == .array ? children : nil }

    private var children: [JSONValue] {
        var children: [JSONValue] = []
        tree.document.forEachChild(of: index) { children.append(JSONValue(tree: tree, index: $0)) }
        return children
    }

    /// A string's text; nil for other values.
    package func text(loneSurrogates: LoneSurrogates) -> String? {
        kind == .string ? tree.document.string(of: index, loneSurrogates: loneSurrogates) : nil
    }

    /// `true` or `false`; nil for other values.
    package var boolean: Bool? {
        kind == .boolean ? tree.document.text(of: index).first == ASCII.letter("t") : nil
    }

    /// A number written with digits alone that fits into an Int.
    package var integer: Int? { kind == .number ? Int(source) : nil }

    /// A number, rounded to the nearest Double; nil for other values, and beyond a Double's range.
    package var double: Double? {
        guard kind == .number, let number = Double(source), number.isFinite else { return nil }
        return number
    }
}
