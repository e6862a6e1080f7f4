import Records

/// Reads a line of a file as a source's record: the line is its value, or an object of `value` and `key` alone.
enum SourceLine {
    static func record(_ line: [UInt8], number: Int) -> SourceSample.Record {
        line.withUnsafeBytes { bytes in
            let document = JSONDocument()
            let whole = SourceSample.Record(partition: 0, offset: Int64(number), key: nil, value: line)
            guard (try? document.read(bytes)) != nil,
                let value = document.member(Array("value".utf8), of: JSONDocument.root)
            else { return whole }
            var members = 0
            document.forEachChild(of: JSONDocument.root) { _ in members += 1 }
            let key = document.member(Array("key".utf8), of: JSONDocument.root)
            guard members == (key == nil ? 1 : 2) else { return whole }
            func text(_ index: Int) -> [UInt8]? {
                switch document[index].kind {
                case .null: nil
                case .string: Array((document.string(of: index) ?? "").utf8)
                default: Array(document.text(of: index))
                }
            }
            return SourceSample.Record(
                partition: 0, offset: Int64(number), key: key.flatMap { text($0) }, value: text(value))
        }
    }
}
