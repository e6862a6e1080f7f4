import Bytes

/// Reads a line of a file as a source's record: the line is its value, or an object of `value` and `key` alone.
enum SourceLine {
    static func record(_ line: [UInt8], number: Int) -> SourceSample.Record {
        let whole = SourceSample.Record(partition: 0, offset: Int64(number), key: nil, value: line)
        guard let record = line.withUnsafeBytes({ JSONValue($0) }), let value = record["value"] else { return whole }
        let key = record["key"]
        guard record.members.count == (key == nil ? 1 : 2) else { return whole }
        func text(_ value: JSONValue) -> [UInt8]? {
            switch value.kind {
            case .null: nil
            case .string: Array((value.text(loneSurrogates: .refused) ?? "").utf8)
            default: Array(value.source.utf8)
            }
        }
        return SourceSample.Record(
            partition: 0, offset: Int64(number), key: key.flatMap(text), value: text(value))
    }
}
