import Admin
import Foundation
import KafkaClient
import Logging
import Recording
import Synchronization
import Worker

/// A sandbox's topics as tests use them: publishes and reads records, waits until the worker has processed them, and
/// empties the topics.
final class SandboxSite: SandboxControl {
    let description: SandboxDescription
    private let topics: TopicNames
    private let inputs: [String]
    private let fixtures: [String: String]
    private let reports: @Sendable () -> [LaneReport]
    private let clients: Mutex<SandboxClients>
    private static let pause = Duration.milliseconds(20)

    /// - Parameters:
    ///   - inputs: every topic that the worker reads.
    ///   - fixtures: recordings by name.
    ///   - reports: the worker's lanes; none before it is made.
    init(
        description: SandboxDescription, topics: TopicNames, inputs: [String], fixtures: [String: String],
        properties: KafkaProperties, reports: @escaping @Sendable () -> [LaneReport], logger: Logger
    ) throws(KafkaError) {
        self.description = description
        self.topics = topics
        self.inputs = inputs
        self.fixtures = fixtures
        self.reports = reports
        clients = Mutex(
            try SandboxClients(
                properties: properties, topics: inputs + topics.outputs, partitions: description.partitions,
                logger: logger))
    }

    func close() { clients.withLock { $0.close() } }

    // MARK: - Publishing and reading

    func publish(fixture: String) async throws(SandboxFailure) -> Int {
        guard let path = fixtures[fixture] else {
            let known =
                fixtures.isEmpty
                ? "start the sandbox with --fixtures DIRECTORY"
                : "there are \(fixtures.keys.sorted().joined(separator: ", "))"
            throw SandboxFailure(.missing, "there is no fixture '\(Printable.text(fixture))'; \(known)")
        }
        return try await publish(recording: path)
    }

    func publish(lines: [UInt8]) async throws(SandboxFailure) -> Int {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "rejoinder-lines-\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        do {
            try Data(lines).write(to: file)
        } catch {
            throw SandboxFailure(.broker, "the lines cannot be kept in '\(file.path)': \(error)")
        }
        do {
            return try await publish(recording: file.path)
        } catch {
            // The message names the request's body, not the temporary file.
            throw SandboxFailure(error.kind, error.message.replacing(file.path, with: "the body"))
        }
    }

    /// Publishes a whole recording, or nothing if it is damaged or has a record for an unknown topic or partition.
    func publish(recording path: String) async throws(SandboxFailure) -> Int {
        try await withClients { clients throws(SandboxFailure) in try clients.publish(recording: path) }
    }

    func records(of topic: String) async throws(SandboxFailure) -> [UInt8] {
        let known = inputs + topics.outputs
        guard known.contains(topic) else {
            throw SandboxFailure(
                .missing, "there is no topic '\(Printable.text(topic))'; there are \(known.joined(separator: ", "))")
        }
        return try await withClients { clients throws(SandboxFailure) in try clients.lines(of: topic) }
    }

    // MARK: - Waiting

    func waitUntilIdle(timeout: Duration) async throws(SandboxFailure) {
        let deadline = ContinuousClock.now + timeout
        var ends: [TopicPartition: Int64] = [:]
        while true {
            // Repeats until the ends stand still: source lanes may have published more.
            let now = try await withClients { [inputs] clients throws(SandboxFailure) in try clients.ends(of: inputs) }
            if now == ends { return }
            ends = now
            while let missing = whatIsMissing(ends) {
                guard .now < deadline else {
                    throw SandboxFailure(.timeout, "the worker is not done within \(timeout): \(missing)")
                }
                // Cancelled: the client has gone.
                do { try await Task.sleep(for: Self.pause) } catch {
                    throw SandboxFailure(.timeout, "the client waits no longer")
                }
            }
        }
    }

    /// The work left up to these ends, as the end of a sentence; nil: none.
    private func whatIsMissing(_ ends: [TopicPartition: Int64]) -> String? {
        let contents = reports().map(\.current)
        guard contents.allSatisfy({ !$0.hasEnded }), !contents.isEmpty else { return "the worker has ended" }
        let lags = Dictionary(contents.flatMap(\.lags).map { ($0.place, $0) }, uniquingKeysWith: { $1 })
        for (place, end) in ends.sorted(by: { $0.key < $1.key }) where end > 0 {
            guard let next = lags[place]?.next else { return "it does not have \(place) yet" }
            if next < end { return "it is at \(next) of \(end) in \(place)" }
        }
        if let restoring = contents.flatMap(\.restoring).first { return "partition \(restoring) is being restored" }
        if let waiting = contents.compactMap(\.waiting).first(where: { $0.questions > 0 }) {
            return "\(waiting.questions) changed questions wait to be published"
        }
        return contents.contains { $0.uncommittedSince != nil } ? "its records are not committed yet" : nil
    }

    // MARK: - Reset

    func reset(timeout: Duration) async throws(SandboxFailure) -> SandboxBeginnings {
        let deadline = ContinuousClock.now + timeout
        try await waitUntilIdle(timeout: timeout)
        let questions = try await withClients { [topics] clients throws(SandboxFailure) in
            // The tables first, so that a question's deletion meets empty tables.
            for topic in [topics.votes, topics.answers] { _ = try clients.deleteAll(of: topic) }
            return try clients.deleteAll(of: topics.questions)
        }
        try await waitUntilIdle(timeout: max(.milliseconds(1), deadline - .now))
        return try await withClients { clients throws(SandboxFailure) in
            SandboxBeginnings(questions: questions, offsets: try clients.beginHere())
        }
    }

    // MARK: - Threads

    /// librdkafka's calls block, so they have a thread of their own, one call after the other.
    private func withClients<Outcome: Sendable>(
        _ work: @escaping @Sendable (borrowing SandboxClients) throws(SandboxFailure) -> Outcome
    ) async throws(SandboxFailure) -> Outcome {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Outcome, SandboxFailure>, Never>) in
            let thread = Thread { [self] in
                continuation.resume(
                    returning: Result { () throws(SandboxFailure) in
                        try clients.withLock { (clients) throws(SandboxFailure) in try work(clients) }
                    })
            }
            thread.name = "sandbox"
            thread.start()
        }
        return try result.get()
    }
}
