import Bytes
import Records

/// Reads all lines of a source as records of one kind.
struct LineCheck {
    struct Result: Sendable, Equatable {
        var good = 0
        var bad = 0
        /// The first bad lines, as sentences: "line 7: ...".
        var reasons: [String] = []
    }

    /// Bounds the list: a wrong file has millions of bad lines, and more of them tell nothing new.
    static let longestList = 20

    let kind: RecordKind
    /// Longest record, key and value together, in bytes.
    let limit: Int

    /// Reads all lines; blank ones do not count.
    /// - Parameters:
    ///   - good: called with key and value, valid during the call, and the bytes of the file read so far.
    /// - Returns: the counts, and the first bad lines.
    func run(
        _ source: LoadSource, good: (_ key: Bytes, _ value: Bytes, _ done: Int) throws -> Void = { _, _, _ in }
    ) throws -> Result {
        var result = Result()
        let lines = try source.reader(limit: limit)
        let records = RecordReader()
        func bad(_ number: Int, _ reason: String) {
            result.bad += 1
            if result.reasons.count < Self.longestList { result.reasons.append("line \(number): \(reason)") }
        }
        while true {
            switch try lines.next() {
            case .end:
                return result
            case .tooLong(let number):
                bad(number, "longer than \(limit) bytes, all that the producer's message.max.bytes leaves room for")
            case .line(let value, let number):
                guard value.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { continue }
                let key: Bytes
                do throws(RecordError) {
                    key = try kind.key(of: value, reader: records)
                } catch {
                    bad(number, "\(error.code.rawValue): \(error.message)")
                    continue
                }
                guard key.count + value.count <= limit else {
                    bad(
                        number,
                        "with its key longer than \(limit) bytes, all that the producer's message.max.bytes leaves "
                            + "room for"
                    )
                    continue
                }
                result.good += 1
                try good(key, value, lines.bytesRead)
            }
        }
    }
}
