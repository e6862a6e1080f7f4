import KafkaClient

/// The error that ended a publishing, with the number of records that are certain.
package struct PublishFailure: Error, Sendable, CustomStringConvertible {
    /// The state of the records after the certain ones.
    package enum Rest: Sendable, Equatable {
        /// Their transaction was not committed, so no `read_committed` reader sees them.
        case takenBack
        /// The answer to their commit was lost: all of them are published, or none.
        case inDoubt
        /// Published without a transaction: each may be published, even twice.
        case unknown
    }

    /// The client's error, with its remedy.
    package let cause: KafkaError
    /// The first records, which are published for certain, each once and in order.
    package let certain: Int
    /// Records handed to the producer after them.
    let handedOver: Int
    /// The state of the ``handedOver`` records.
    package let rest: Rest

    /// A sentence for people, without its end.
    package var description: String {
        var text = "\(cause); the first \(Wording.count(certain, "record")) are there for certain"
        if case .unknown = rest {} else { text += ", each once and in order" }
        guard handedOver > 0 else { return text + ", and none after them" }
        let followed = Wording.count(handedOver, "record")
        switch rest {
        case .takenBack: text += ", and none after them: the \(handedOver) that followed were taken back"
        case .inDoubt:
            text +=
                "; whether the \(followed) that followed are there too is not known: their commit was not answered, "
                + "so all of them are, or none"
        case .unknown:
            text += "; the \(followed) that followed may be there, some of them even twice"
        }
        return text
    }
}
