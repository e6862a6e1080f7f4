import Bytes
import Records
import Testing
import Yams

@testable import Sources

/// The mappings of a piece of YAML, which has to be right.
func mappings(_ yaml: String) throws -> [SourceMapping] {
    let (mappings, problems) = try read(yaml)
    #expect(problems == [])
    return mappings
}

/// Reads a list of sources: the mappings, and the problems found.
func read(_ yaml: String) throws -> (mappings: [SourceMapping], problems: [String]) {
    var reader = SourceConfigurationReader(path: "site.yaml")
    reader.read(try #require(try Yams.compose(yaml: yaml)))
    return (reader.mappings, reader.problems)
}

extension SourceIndex {
    /// The changes since the last call.
    func changes() -> [(key: [UInt8], value: [UInt8]?)] {
        var changes: [(key: [UInt8], value: [UInt8]?)] = []
        takeChanges { key, value in changes.append((Array(key), value.map { Array($0) })) }
        return changes
    }
}

/// Sends records through a translator, with an index in memory, and keeps the records that it makes.
final class Site {
    let index = SourceIndex()
    let translator: SourceTranslator
    private(set) var records: [Published] = []

    struct Published: Equatable, CustomStringConvertible {
        var topic: ContractTopic
        var key: String
        var value: String?
        var description: String { "\(topic) \(key): \(value ?? "null")" }
    }

    init(_ yaml: String) throws {
        translator = SourceTranslator(try mappings(yaml), index: index)
    }

    /// - Returns: the records made of this one alone.
    @discardableResult
    func send(_ topic: String, key: String? = nil, _ value: String?, partition: Int32 = 0) throws -> [Published] {
        try outcome(topic, key: key, value, partition: partition).records
    }

    func outcome(
        _ topic: String, key: String? = nil, _ value: String?, partition: Int32 = 0
    ) throws -> (outcome: SourceTranslator.Outcome, records: [Published]) {
        var emitted: [Published] = []
        let key = key.map { Array($0.utf8) }
        let value = value.map { Array($0.utf8) }
        let outcome = try withBytes(key) { key in
            try withBytes(value) { value in
                try translator.translate(topic: topic, partition: partition, key: key, value: value) {
                    emitted.append(Published($0))
                }
            }
        }
        index.commit()
        records += emitted
        return (outcome, emitted)
    }

    func failure(_ topic: String, key: String? = nil, _ value: String?) -> String? {
        do {
            try send(topic, key: key, value)
            return nil
        } catch {
            return "\(error)"
        }
    }
}

extension Site.Published {
    init(_ record: ContractRecord) {
        self.init(
            topic: record.topic, key: String(decoding: record.key, as: UTF8.self),
            value: record.value.map { String(decoding: $0, as: UTF8.self) })
    }

    static func question(_ key: String, _ value: String?) -> Self { Self(topic: .questions, key: key, value: value) }
    static func answer(_ key: String, _ value: String?) -> Self { Self(topic: .answers, key: key, value: value) }
    static func vote(_ key: String, _ value: String?) -> Self { Self(topic: .votes, key: key, value: value) }
}

private func withBytes<Result>(_ bytes: [UInt8]?, _ body: (Bytes?) throws -> Result) rethrows -> Result {
    guard let bytes else { return try body(nil) }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
    defer { memory.deallocate() }
    memory.copyBytes(from: bytes)
    return try body(Bytes(rebasing: memory[..<bytes.count]))
}
