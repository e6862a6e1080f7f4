/// Why a window of a cluster cannot be read; the client's own errors come as `KafkaError`.
package struct CaptureError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Matter: Sendable {
        /// What was asked for makes no sense.
        case usage
        /// What was asked for is not in the cluster.
        case configuration
        /// No broker answers any more.
        case brokerUnreachable
    }

    package let matter: Matter
    /// A sentence for people, with what to do next.
    package let description: String

    package init(_ matter: Matter, _ description: String) {
        self.matter = matter
        self.description = description
    }
}
