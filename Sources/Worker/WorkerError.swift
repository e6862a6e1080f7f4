import AnswerStore

/// Why a worker could not start or had to end: a sentence for people, and the matter at fault.
package struct WorkerError: Error, Sendable, CustomStringConvertible {
    /// The party at fault, by which a command chooses its exit status.
    package enum Matter: Sendable {
        /// Settings or topics do not fit a worker's needs: a retry changes nothing.
        case configuration
        /// No broker answers.
        case brokerUnreachable
        /// The state directory or a store in it cannot be used.
        case stateDirectory
        /// All other causes: the broker or the client gave the work up for good.
        case failed
    }

    /// The party at fault.
    package let matter: Matter
    /// With the remedy.
    package let message: String

    /// - Parameter message: a sentence for people, with its remedy.
    package init(_ matter: Matter, _ message: String) {
        self.matter = matter
        self.message = message
    }

    /// A store in the state directory cannot be used.
    package init(_ error: StoreError) { self.init(.stateDirectory, "\(error)") }

    /// The message alone.
    package var description: String { message }
}
