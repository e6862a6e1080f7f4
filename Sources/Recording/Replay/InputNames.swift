import Bytes
import Enrichment
import Worker

/// One of the three topics that a worker reads.
package enum ReplayInput: Sendable, Equatable {
    case questions
    case table(Table)
}

/// Maps a recording's topic names to the inputs.
///
/// Not Sendable: it caches its answers.
final class InputNames {
    private let names: [(bytes: [UInt8], input: ReplayInput)]

    private let renaming: TopicRenaming
    /// Renamed topics by their names in the recording, and topics that are no input.
    private var others: [(bytes: [UInt8], input: ReplayInput?)] = []

    init(_ topics: TopicNames, prefix: String, renaming: TopicRenaming = TopicRenaming()) {
        self.renaming = renaming
        names = [
            (Array((prefix + topics.votes).utf8), .table(.votes)),
            (Array((prefix + topics.answers).utf8), .table(.answers)),
            (Array((prefix + topics.questions).utf8), .questions),
        ]
    }

    /// Topics that are no input, in the order of their first records; only the first when there are very many.
    var skipped: [String] {
        others.filter { $0.input == nil }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    package func input(_ topic: Bytes) -> ReplayInput? {
        if renaming.isEmpty {
            for name in names where name.bytes.withUnsafeBytes({ $0.isEqual(to: topic) }) { return name.input }
        }
        return other(topic)
    }

    private func other(_ topic: Bytes) -> ReplayInput? {
        if let known = others.first(where: { $0.bytes.elementsEqual(topic) }) { return known.input }
        let renamed = Array(renaming.apply(to: String(decoding: topic, as: UTF8.self)).utf8)
        let input = names.first { $0.bytes == renamed }?.input
        if others.count < 100 { others.append((Array(topic), input)) }
        return input
    }
}
