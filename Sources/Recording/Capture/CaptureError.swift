/// The reason why a window of a cluster cannot be read. The client's own errors are thrown as `KafkaError`.
package struct CaptureError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of the error, by which a command chooses its exit status.
    package enum Matter: Sendable {
        /// The request makes no sense.
        case usage
        /// The cluster lacks a requested topic.
        case configuration
        /// No broker answers any more.
        case brokerUnreachable
    }

    /// The kind.
    package let matter: Matter
    /// A sentence for people, with its remedy.
    package let description: String

    /// - Parameter description: a sentence for people, with its remedy.
    package init(_ matter: Matter, _ description: String) {
        self.matter = matter
        self.description = description
    }
}
