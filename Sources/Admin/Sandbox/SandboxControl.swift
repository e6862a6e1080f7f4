/// A sandbox's operations for tests, over HTTP. Called on Swift's cooperative threads; blocking calls run on a thread
/// of their own.
package protocol SandboxControl: Sendable {
    /// Addresses, topics and fixtures.
    var description: SandboxDescription { get }

    /// Returns once everything that was published before the call has been worked on and its outcome can be read.
    /// - Throws: `timeout`, with the work that is left.
    func waitUntilIdle(timeout: Duration) async throws(SandboxFailure)

    /// Removes every question, answer and vote; readers start after the records of the topics.
    /// - Returns: where each partition of each topic begins from now on.
    /// - Throws: `timeout`, or `broker`.
    func reset(timeout: Duration) async throws(SandboxFailure) -> SandboxBeginnings

    /// Publishes a recording of the fixtures' directory.
    /// - Returns: the number of its records.
    /// - Throws: `missing`, `content`, or `broker`.
    func publish(fixture: String) async throws(SandboxFailure) -> Int

    /// Publishes the lines of a recording.
    /// - Returns: their number.
    /// - Throws: `content` with the number of the line, or `broker`.
    func publish(lines: [UInt8]) async throws(SandboxFailure) -> Int

    /// The records of a topic since the last reset, as the lines of a recording, by partition and offset.
    /// - Throws: `missing`, or `broker`.
    func records(of topic: String) async throws(SandboxFailure) -> [UInt8]
}

/// A sandbox's description, for `GET /sandbox`.
package struct SandboxDescription: Sendable, Encodable {
    /// `host:port` of the embedded broker, for the clients under test.
    package var bootstrapServers: String
    /// The worker's topics by purpose: `questions`, `answers`, `votes`, `enriched`, `deadLetter`.
    package var topics: [String: String]
    /// Partitions of each topic.
    package var partitions: Int32
    /// Names that `POST /sandbox/fixtures/{name}` takes.
    package var fixtures: [String]

    /// - Parameter topics: the worker's topics by purpose.
    package init(bootstrapServers: String, topics: [String: String], partitions: Int32, fixtures: [String]) {
        self.bootstrapServers = bootstrapServers
        self.topics = topics
        self.partitions = partitions
        self.fixtures = fixtures
    }
}

/// Where the topics begin after a reset: offsets by topic and partition.
package struct SandboxBeginnings: Sendable, Encodable {
    /// Questions that were deleted.
    package var questions: Int
    /// The first offset after the reset, by topic and partition.
    package var offsets: [String: [Int32: Int64]]

    /// - Parameter questions: the number of questions that the reset deleted.
    package init(questions: Int, offsets: [String: [Int32: Int64]]) {
        self.questions = questions
        self.offsets = offsets
    }

    private enum CodingKeys: String, CodingKey { case questions, offsets }

    /// Partitions are names of JSON fields, not places in lists.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(questions, forKey: .questions)
        let named = offsets.mapValues { Dictionary(uniqueKeysWithValues: $0.map { ("\($0)", $1) }) }
        try container.encode(named, forKey: .offsets)
    }
}

/// The reason why a sandbox refused or failed a request.
package struct SandboxFailure: Error, Sendable, Equatable {
    /// The kind of the failure, by which `/sandbox` answers with a status.
    package enum Kind: Sendable {
        /// It would have taken longer than it was given.
        case timeout
        /// There is no fixture or topic of this name.
        case missing
        /// The input is no recording, or a record is for a topic or partition that the sandbox does not have.
        case content
        /// The embedded broker failed or did not answer.
        case broker
    }

    /// Decides the HTTP status.
    package var kind: Kind
    /// A sentence for people.
    package var message: String

    /// - Parameter message: a sentence for people.
    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
