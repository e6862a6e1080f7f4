import KafkaClient
import Logging
import Sources

/// Outages of the schema registry: the lane stays in the group, works on no record, and asks again.
extension SourceLane {
    /// Records wait for a schema.
    struct SchemaWait {
        let schema: SchemaID?
        let since: ContinuousClock.Instant
        var cause: String
        var pause = Duration.milliseconds(200)
        var retry: ContinuousClock.Instant

        /// The longest pause between two requests.
        static let longestPause = Duration.seconds(5)

        init(_ outage: RegistryOutage) {
            (schema, since, cause) = (outage.schema, .now, outage.description)
            retry = since + pause
        }

        mutating func note(_ outage: RegistryOutage) {
            cause = outage.description
            pause = min(pause * 2, Self.longestPause)
            retry = .now + pause
        }
    }

    /// Sets records aside from this one on; they are read again.
    func waitForSchema(_ outage: RegistryOutage) throws {
        schemaWait = SchemaWait(outage)
        figures.isOutdated = true
        try pauseAll()
    }

    /// Asks again for the schema that records wait for, once its pause is over.
    func askForSchema() throws {
        guard var wait = schemaWait, !isBehind else { return }
        waitLog.note(
            "waiting for the schema registry", since: wait.since, logger: logger, metadata: ["cause": "\(wait.cause)"])
        guard .now >= wait.retry, !stop.isRequested else { return }
        do {
            try watch.during(.schemaRegistry, as: .waitingForInput, since: wait.since, cause: wait.cause) {
                if let schema = wait.schema { try translator.fetch(schema) }
            }
        } catch let outage as RegistryOutage {
            wait.note(outage)
            schemaWait = wait
            return
        }
        schemaWait = nil
        try resumeSkipped()
        logger.notice(
            "the schema registry answers",
            metadata: ["seconds": .stringConvertible(((.now - wait.since) / .milliseconds(1)).rounded() / 1000)])
    }

    /// Returns to the first records that were set aside, and resumes all partitions.
    func resumeSkipped() throws {
        let skipped = partitions.compactMapValues(\.skipped)
        if !skipped.isEmpty {
            try consumer.seek(skipped, timeout: .seconds(30))
            for place in skipped.keys { partitions[place]?.skipped = nil }
        }
        try consumer.resume(Array(partitions.keys))
        for place in partitions.keys { partitions[place]?.resumed = .now }
        figures.isOutdated = true
    }

    func pauseAll() throws {
        for place in partitions.keys { partitions[place]?.resumed = nil }
        try consumer.pause(Array(partitions.keys))
    }
}
