import AnswerStore
import Records

/// What was last published of questions with answers left out: their value may be the same though their state is not. Counts only
/// for this process, and until something is aborted. Bounded: what is not remembered is published.
package final class OmissionDigests {
    private static let most = 65_536
    /// By the question's hash.
    private var digests: [UInt64: UInt64] = [:]

    package init() {}

    /// Whether a value is another than the one published last of the question, as far as is remembered; it is remembered then.
    /// - Parameter omitted: answers that are left out of it.
    package func isNews(_ value: Bytes, of question: Bytes, omitted: Int) -> Bool {
        if omitted == 0 && digests.isEmpty { return true }
        let (hash, digest) = (AnswerStore.hash(of: question), AnswerStore.hash(of: value))
        if digests[hash] == digest { return false }
        digests[hash] = omitted > 0 && digests.count < Self.most ? digest : nil
        return true
    }

    /// The question's own event is published: with this value, or nil where nobody needs to know.
    package func note(_ value: Bytes?, of question: Bytes) {
        if value == nil && digests.isEmpty { return }
        let hash = AnswerStore.hash(of: question)
        digests[hash] = digests.count < Self.most ? value.map { AnswerStore.hash(of: $0) } : nil
    }

    package func removeAll() { digests.removeAll() }
}
