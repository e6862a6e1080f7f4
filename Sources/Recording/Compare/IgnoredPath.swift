/// A part of a record that a comparison leaves out.
///
/// `answers[].answer.author.rating` is a path into the value's JSON: names separated by points, `[]` for every element
/// of an array, `[0]` for one; `\.` is a point in a name. A leading `@` selects a part of the record itself:
/// `@timestamp`, `@partition`, `@headers` for all, or `@headers.NAME` for one.
package struct IgnoredPath: Sendable, Equatable {
    enum Step: Sendable, Equatable {
        case member(String)
        case everyElement
        case element(Int)
    }

    enum Part: Sendable, Equatable {
        case timestamp
        case partition
        case headers
        case header(String)
        case value([Step])
    }

    /// The path as given.
    package let text: String
    let part: Part

    /// - Throws: ``ReplayError`` that says why the path is invalid.
    package init(_ text: String) throws(ReplayError) {
        self.text = text
        func wrong(_ reason: String) -> ReplayError {
            ReplayError("the path to ignore '\(Excerpt.text(text))' \(reason)")
        }
        if text.hasPrefix("@") {
            switch text.dropFirst() {
            case "timestamp": part = .timestamp
            case "partition": part = .partition
            case "headers": part = .headers
            case let name where name.hasPrefix("headers.") && name.count > 8: part = .header(String(name.dropFirst(8)))
            default: throw wrong("is none of @timestamp, @partition, @headers and @headers.NAME")
            }
            return
        }
        var steps: [Step] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            if rest.first == "[" {
                guard let end = rest.firstIndex(of: "]") else { throw wrong("has a '[' without its ']'") }
                let number = rest[rest.index(after: rest.startIndex)..<end]
                if number.isEmpty {
                    steps.append(.everyElement)
                } else if let index = Int(number), index >= 0 {
                    steps.append(.element(index))
                } else {
                    throw wrong("has something else than a number between '[' and ']'")
                }
                rest = rest[rest.index(after: end)...]
                continue
            }
            if !steps.isEmpty {
                guard rest.first == "." else { throw wrong("lacks a '.' before '\(Excerpt.text(String(rest)))'") }
                rest = rest.dropFirst()
            }
            var name = ""
            while let letter = rest.first, letter != ".", letter != "[" {
                rest = rest.dropFirst()
                if letter == "\\", let escaped = rest.popFirst() {
                    name.append(escaped)
                } else {
                    name.append(letter)
                }
            }
            guard !name.isEmpty else { throw wrong("has an empty name; write it like answers[].answer.author.rating") }
            steps.append(.member(name))
        }
        guard !steps.isEmpty else { throw wrong("is empty; write it like answers[].answer.author.rating") }
        part = .value(steps)
    }
}

extension JSONNode {
    /// The tree without the parts at these paths.
    /// - Parameter found: set when the tree contained such a part.
    func leavingOut(_ paths: [ArraySlice<IgnoredPath.Step>], found: inout Bool) -> JSONNode {
        guard !paths.isEmpty else { return self }
        switch self {
        case .object(let members):
            var kept: [Member] = []
            for var member in members {
                let inside = paths.filter { $0.first == .member(member.name) }.map { $0.dropFirst() }
                if inside.contains(where: \.isEmpty) {
                    found = true
                    continue
                }
                member.value = member.value.leavingOut(inside, found: &found)
                kept.append(member)
            }
            return .object(kept)
        case .array(let elements):
            var kept: [JSONNode] = []
            for (index, element) in elements.enumerated() {
                let inside = paths.filter { $0.first == .everyElement || $0.first == .element(index) }
                    .map { $0.dropFirst() }
                if inside.contains(where: \.isEmpty) {
                    found = true
                    continue
                }
                kept.append(element.leavingOut(inside, found: &found))
            }
            return .array(kept)
        case .string, .literal:
            return self
        }
    }
}
