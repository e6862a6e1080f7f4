import Bytes
import Records
import Worker

/// The kind of record on a line.
enum RecordKind: String, CaseIterable, Sendable {
    case questions
    case answers
    case votes

    func topic(of topics: TopicNames) -> String {
        switch self {
        case .questions: topics.questions
        case .answers: topics.answers
        case .votes: topics.votes
        }
    }

    /// The key that a record must have. Valid until the reader's next call.
    func key(of value: Bytes, reader: RecordReader) throws(RecordError) -> Bytes {
        switch self {
        case .questions: try reader.questionID(ofQuestion: value)
        case .answers: try reader.questionID(ofAnswer: value)
        case .votes: try reader.questionID(ofVote: value)
        }
    }
}
