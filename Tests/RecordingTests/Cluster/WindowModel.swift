import TestSupport

@testable import Recording

/// The records that a window replay must publish, worked out the slow and plain way, record by record, from lists of
/// the published ones: no store, no merge, no line of the product's.
struct WindowModel {
    struct Answer {
        var id: String
        var json: String
        var answeredAt: Int
    }

    enum TableRecord {
        case answer(question: String, id: String, json: String, answeredAt: Int)
        case withdrawn(question: String, id: String)
        case answersForgotten(question: String)
        case cast(question: String, answer: String, voter: String, value: Int)
        case counted(question: String, answer: String, count: Int)
        case votesForgotten(question: String)
        case broken
    }

    struct Entry {
        var partition: Int32
        /// Its place in its topic's partition.
        var offset: Int
        var time: Int64
        var isVote: Bool
        var record: TableRecord
    }

    /// The state of a question by the entries, in the order in which they are given.
    static func enriched(question id: String, json: String, by entries: [Entry]) -> String {
        var answers: [String: Answer] = [:]
        var voters: [String: [String: Int]] = [:]
        var bases: [String: Int] = [:]
        func count(_ answer: String) -> Int {
            bases[answer, default: 0] + voters[answer, default: [:]].values.reduce(0, +)
        }
        for entry in entries {
            switch entry.record {
            case .answer(id, let answer, let json, let time):
                answers[answer] = Answer(id: answer, json: json, answeredAt: time)
            case .withdrawn(id, let answer): answers[answer] = nil
            case .answersForgotten(id): answers = [:]
            case .cast(id, let answer, let voter, let value): voters[answer, default: [:]][voter] = value
            case .counted(id, let answer, let number): bases[answer, default: 0] += number - count(answer)
            case .votesForgotten(id): (voters, bases) = ([:], [:])
            default: break
            }
        }
        let ranked = answers.values.sorted {
            (-count($0.id), $0.answeredAt, $0.id) < (-count($1.id), $1.answeredAt, $1.id)
        }
        let list = ranked.map { answer in
            let label = count(answer.id) + 1
            return "{\"answer\":\(answer.json),\"voteCount\":\(count(answer.id)),\"voteLabel\":\""
                + (count(answer.id) >= 0 ? "+" : "") + "\(label)\"}"
        }
        return "{\"question\":\(json),\"answers\":[\(list.joined(separator: ","))],\"answerCount\":\(ranked.count)}"
    }
}
