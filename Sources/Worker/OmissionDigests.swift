import AnswerStore
import Bytes

/// Digests of the last published values of questions with answers left out: their value may be the same though their
/// state is not. Valid in this process until an abort. Bounded: a question without a digest is published.
package final class OmissionDigests {
    private static let most = 65_536
    /// By the question's hash.
    private var digests: [UInt64: UInt64] = [:]

    /// Remembers no value.
    package init() {}

    /// Whether a value differs from the question's last published one, as far as that is remembered. Remembers the
    /// value.
    /// - Parameter omitted: answers that the value leaves out.
    package func isNews(_ value: Bytes, of question: Bytes, omitted: Int) -> Bool {
        if omitted == 0 && digests.isEmpty { return true }
        let (hash, digest) = (AnswerStore.hash(of: question), AnswerStore.hash(of: value))
        if digests[hash] == digest { return false }
        digests[hash] = omitted > 0 && digests.count < Self.most ? digest : nil
        return true
    }

    /// Notes the value that the question's own event was published with; nil where no digest is needed.
    package func note(_ value: Bytes?, of question: Bytes) {
        if value == nil && digests.isEmpty { return }
        let hash = AnswerStore.hash(of: question)
        digests[hash] = digests.count < Self.most ? value.map { AnswerStore.hash(of: $0) } : nil
    }

    /// Forgets all values, after an abort: they may not have been published.
    package func removeAll() { digests.removeAll() }
}
