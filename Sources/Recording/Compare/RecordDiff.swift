import KafkaClient

/// Describes the differences of two records of one question, a line each.
struct RecordDiff {
    private let ignored: [IgnoredPath.Part]
    private let ignoredInValue: [ArraySlice<IgnoredPath.Step>]
    /// The most lines for one pair of records; further lines are counted.
    private static let maxLines = 40

    init(ignoring paths: [IgnoredPath]) {
        ignored = paths.map(\.part)
        ignoredInValue = ignored.compactMap {
            if case .value(let steps) = $0 { steps[...] } else { nil }
        }
    }

    var ignoresTimestamps: Bool { ignored.contains(.timestamp) }

    /// - Returns: no lines when the records are equal apart from their offsets and ignored parts.
    func lines(expected: RecordedRecord, actual: RecordedRecord) -> [String] {
        var lines: [String] = []
        if expected.partition != actual.partition, !ignored.contains(.partition) {
            lines.append("partition: was \(expected.partition), is \(actual.partition)")
        }
        if expected.timestamp != actual.timestamp, !ignoresTimestamps {
            lines.append("timestamp: was \(Self.time(expected.timestamp)), is \(Self.time(actual.timestamp))")
        }
        lines += headerLines(expected.headers, actual.headers)
        if expected.value != actual.value { lines += valueLines(expected.value, actual.value) }
        guard lines.count > Self.maxLines else { return lines }
        return lines.prefix(Self.maxLines) + ["and \(lines.count - Self.maxLines) more differences"]
    }

    private static func time(_ milliseconds: Int64?) -> String {
        milliseconds.map { "\($0) (\(Excerpt.time($0)))" } ?? "none"
    }

    // MARK: - Headers

    private func headerLines(_ expected: [RecordHeader], _ actual: [RecordHeader]) -> [String] {
        if expected == actual || ignored.contains(.headers) { return [] }
        let isKept = { (header: RecordHeader) in !ignored.contains(.header(header.name)) }
        let (expected, actual) = (expected.filter(isKept), actual.filter(isKept))
        if expected == actual { return [] }
        var lines: [String] = []
        var names: [String] = []
        for header in expected + actual where !names.contains(header.name) { names.append(header.name) }
        for name in names {
            let was = expected.filter { $0.name == name }.map(\.value)
            let now = actual.filter { $0.name == name }.map(\.value)
            if was == now { continue }
            let label = "header \(Excerpt.text(name))"
            if now.isEmpty {
                lines.append("\(label) is missing (was \(Self.values(was)))")
            } else if was.isEmpty {
                lines.append("\(label) is extra (is \(Self.values(now)))")
            } else {
                lines.append("\(label): was \(Self.values(was)), is \(Self.values(now))")
            }
        }
        return lines.isEmpty ? ["the headers stand in another order"] : lines
    }

    private static func values(_ values: [[UInt8]?]) -> String {
        values.map { $0 == nil ? "null" : "\"\(Excerpt.bytes($0))\"" }.joined(separator: ", ")
    }

    // MARK: - Values

    private func valueLines(_ expected: [UInt8]?, _ actual: [UInt8]?) -> [String] {
        guard let expected, let actual else {
            return actual == nil
                ? ["was a record with a value, is a deletion"] : ["was a deletion, is a record with a value"]
        }
        guard let was = JSONNode(expected), let now = JSONNode(actual) else {
            return [Self.byteLine("value", expected, actual)]
        }
        var isPruned = false
        let (left, right) = (
            was.leavingOut(ignoredInValue, found: &isPruned), now.leavingOut(ignoredInValue, found: &isPruned)
        )
        let lines = EnrichedDiff(expected: left, actual: right)?.lines ?? TreeDiff.lines(left, right)
        if !lines.isEmpty || isPruned { return lines }
        return [Self.byteLine("the same JSON in other bytes", expected, actual)]
    }

    private static func byteLine(_ label: String, _ expected: [UInt8], _ actual: [UInt8]) -> String {
        let place = zip(expected, actual).prefix { $0 == $1 }.count
        func piece(_ bytes: [UInt8]) -> String {
            let start = max(0, place - 12)
            let piece = String(decoding: bytes[min(start, bytes.count)..<min(place + 28, bytes.count)], as: UTF8.self)
            return "'\(Excerpt.text(piece))'"
        }
        let lengths = expected.count == actual.count ? "" : " (\(expected.count) bytes, then \(actual.count))"
        return "\(label): at byte \(place)\(lengths) was \(piece(expected)), is \(piece(actual))"
    }
}

/// Differences of two JSON trees, by path.
enum TreeDiff {
    static func lines(_ expected: JSONNode, _ actual: JSONNode, at path: String = "") -> [String] {
        if expected == actual { return [] }
        switch (expected, actual) {
        case (.object(let was), .object(let now)):
            var lines: [String] = []
            var names: [String] = []
            var seen: Set<String> = []
            for member in was + now where seen.insert(member.name).inserted { names.append(member.name) }
            for name in names {
                let left = was.filter { $0.name == name }.map(\.value)
                let right = now.filter { $0.name == name }.map(\.value)
                let place = path.isEmpty ? Excerpt.text(name) : "\(path).\(Excerpt.text(name))"
                for index in 0..<max(left.count, right.count) {
                    switch (left.indices.contains(index), right.indices.contains(index)) {
                    case (true, true): lines += self.lines(left[index], right[index], at: place)
                    case (true, false): lines.append("\(place) is missing (was \(left[index].summary))")
                    default: lines.append("\(place) is extra (is \(right[index].summary))")
                    }
                }
            }
            return lines.isEmpty ? ["\(path.isEmpty ? "value" : path): the members stand in another order"] : lines
        case (.array(let was), .array(let now)):
            var lines: [String] = []
            for index in 0..<max(was.count, now.count) {
                let place = "\(path)[\(index)]"
                if index >= now.count {
                    lines.append("\(place) is missing (was \(was[index].summary))")
                } else if index >= was.count {
                    lines.append("\(place) is extra (is \(now[index].summary))")
                } else {
                    lines += self.lines(was[index], now[index], at: place)
                }
            }
            return lines
        default:
            return ["\(path.isEmpty ? "value" : path): was \(expected.summary), is \(actual.summary)"]
        }
    }
}
