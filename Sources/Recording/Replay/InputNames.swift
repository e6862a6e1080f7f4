import Enrichment
import Records
import Worker

/// One of the three topics that a worker reads.
package enum ReplayInput: Sendable, Equatable {
    case questions
    case table(Table)
}

/// Tells the input topics by their names in a recording.
struct InputNames {
    private let names: [(bytes: [UInt8], input: ReplayInput)]

    init(_ topics: TopicNames, prefix: String) {
        names = [
            (Array((prefix + topics.votes).utf8), .table(.votes)),
            (Array((prefix + topics.answers).utf8), .table(.answers)),
            (Array((prefix + topics.questions).utf8), .questions),
        ]
    }

    func input(_ topic: Bytes) -> ReplayInput? {
        for name in names where name.bytes.elementsEqual(topic) { return name.input }
        return nil
    }
}
