/// Why a worker could not start or had to end: a sentence for people, and whose matter it is.
package struct WorkerError: Error, Sendable, CustomStringConvertible {
    package enum Matter: Sendable {
        /// Settings or topics are not what a worker needs: nothing changes by trying again.
        case configuration
        /// No broker answers.
        case brokerUnreachable
        /// The state directory or a store in it cannot be used.
        case stateDirectory
        /// Anything else: the broker or the client gave the work up for good.
        case failed
    }

    package let matter: Matter
    package let message: String

    package init(_ matter: Matter, _ message: String) {
        self.matter = matter
        self.message = message
    }

    package var description: String { message }
}
