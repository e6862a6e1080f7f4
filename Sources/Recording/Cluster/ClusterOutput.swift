import Bytes
import KafkaClient
import Logging
import Worker

/// Publishes a command's records: keeps the order within each partition, waits for room in the queue, and counts the
/// records that are certain.
///
/// By default records go in transactions, one after the other, each of some thousands of records or a second or two. A
/// `read_committed` reader sees a complete prefix, each record once and in order, even after a failure. librdkafka's
/// idempotent producer alone does not promise that: after a broker's death it may give a new sequence number to a batch
/// that the broker has already written. A transaction fails with an error in that case. The first error ends the
/// publishing with a ``PublishFailure``.
///
/// Not Sendable: used on one thread.
package final class ClusterOutput {
    /// The guarantee for a record when a publishing fails midway.
    package enum Delivery: Sendable, Equatable {
        /// Uses transactional ids with this prefix, the group's name, since permissions are granted by it.
        case transactions(idPrefix: String)
        /// Uses the idempotent producer alone, for users without permission for transactions.
        case atLeastOnce
    }

    /// librdkafka gives up a record after `message.timeout.ms`, five minutes by default, with its reason; this is
    /// longer.
    private static let patience = Duration.seconds(330)
    /// How long a commit may go unanswered.
    var commitPatience = Duration.seconds(60)
    /// How long a stopped replay waits for its queued records.
    private static let grace = Duration.seconds(15)
    /// The interval between checks for failed deliveries, without transactions.
    private static let checkInterval = Duration.seconds(5)
    /// Bounds of one transaction. It fits into the producer's queue, and is committed long before its timeout.
    private static let transactionBounds = (records: 20_000, bytes: 16 << 20)

    private let producer: Producer
    private let stop: StopSignal
    private let isPaced: Bool
    private let isTransactional: Bool
    private var checked = ContinuousClock.now
    private var tried = ContinuousClock.now
    /// When the open transaction began; nil when none is open.
    private var opened: ContinuousClock.Instant?
    private var openBytes = 0
    /// Records handed to the producer.
    package private(set) var published = 0
    /// Those among `published` that are certainly in their topics.
    package private(set) var certain = 0
    /// Bytes of the keys and values of the `published` records.
    package private(set) var bytes = 0

    /// - Parameters:
    ///   - properties: the user's own, which win.
    ///   - isPaced: records leave at once instead of in full batches.
    ///   - largestRecord: bytes of the largest record, if known; raises the producer's limit if necessary.
    /// - Throws: ``WorkerError`` when the user may not use transactions; `KafkaError`.
    package init(
        properties: KafkaProperties, delivery: Delivery, isPaced: Bool = false, largestRecord: Int = 0,
        clientID: String = "rejoinder-replay", stop: StopSignal, logger: Logger
    ) throws {
        self.stop = stop
        self.isPaced = isPaced
        var own = KafkaProperties([
            "client.id": clientID,
            "linger.ms": isPaced ? "1" : "20",
            // The default queue holds a gigabyte. A replay can read its records again, so it needs no large one.
            "queue.buffering.max.kbytes": "65536",
        ])
        if largestRecord > 1_000_000 { own["message.max.bytes"] = String(largestRecord) }
        let all = own.overlaid(by: properties)
        switch delivery {
        case .transactions(let prefix):
            isTransactional = true
            let id = "\(prefix)-\(clientID)-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
            producer = try Producer(properties: all, transactionalID: id, logger: logger)
            do throws(KafkaError) {
                try producer.initTransactions(timeout: .seconds(60))
            } catch {
                producer.close(timeout: .zero)
                guard error.isAuthorization else { throw error }
                throw WorkerError(
                    .configuration,
                    "\(error); allow transactional ids that begin with '\(prefix)-', or publish without transactions "
                        + "(--delivery at-least-once): a failure may then leave records twice")
            }
        case .atLeastOnce:
            isTransactional = false
            producer = try Producer(properties: all, transactionalID: nil, logger: logger)
        }
    }

    /// The handle for a topic's records; kept for the life of the producer.
    /// - Throws: `KafkaError` for a name that librdkafka refuses.
    package func topic(_ name: String) throws(KafkaError) -> ProducerTopic { try producer.topic(name) }

    /// Queues one record; waits while the queue is full.
    /// - Parameters:
    ///   - partition: nil: by the key's hash, as Java clients do it.
    ///   - timestamp: milliseconds since 1970; nil (and 0, to librdkafka) is now, -1 is none.
    /// - Returns: false when the replay was stopped during the wait; the record is not queued then.
    /// - Throws: ``PublishFailure``, for earlier records too. `KafkaError` for a record that is too large: no record is
    ///   lost then.
    package func publish(
        to topic: ProducerTopic, partition: Int32?, key: Bytes?, value: Bytes?, timestamp: Int64?,
        headers: [RecordHeader], headersOf message: ConsumedMessage? = nil
    ) throws -> Bool {
        let deadline = ContinuousClock.now + Self.patience
        try begin()
        do {
            try Producer.retrying { () throws(KafkaError) in
                try producer.produce(
                    to: topic, partition: partition, key: key, value: value, timestamp: timestamp,
                    headersOf: message, extraHeaders: headers)
            } full: { error in
                if error.isTooLarge { throw error }
                guard error.isQueueFull, .now < deadline else { throw broken(off: error) }
                if stop.isRequested { throw CancellationError() }
                producer.poll(timeoutMilliseconds: 10)
            }
        } catch is CancellationError {
            return false
        }
        let size = (key?.count ?? 0) + (value?.count ?? 0)
        published += 1
        bytes += size
        openBytes += size
        if isPaced || published & 255 == 0 { try check() }
        return true
    }

    /// Commits, or checks deliveries, at intervals. Without transactions only a flush reveals failures, and a paced
    /// replay must not stop for one. So it waits only if no immediate flush has succeeded for twelve intervals.
    package func check() throws {
        let now = ContinuousClock.now
        if isTransactional {
            guard let opened else { return }
            let age = now - opened
            let bounds = Self.transactionBounds
            if age > (isPaced ? .milliseconds(250) : .seconds(2)) || published - certain >= bounds.records
                || openBytes >= bounds.bytes
            {
                try commit()
            }
            return
        }
        guard now - checked > Self.checkInterval else { return }
        if isPaced, now - checked < Self.checkInterval * 12 {
            guard now - tried > .milliseconds(100) else { return }
            tried = now
            do throws(KafkaError) {
                try producer.flush(timeout: .zero)
            } catch {
                if error.isTimeout, !error.isFatal { return }
                throw broken(off: error)
            }
            certain = published
        } else {
            try finish()
        }
        checked = .now
    }

    /// Waits until every record is acknowledged and, in transactions, committed. Once the replay is stopped, it waits
    /// no longer than `grace`.
    package func finish() throws {
        if isTransactional, opened == nil { return }
        do throws(KafkaError) {
            try deliver()
        } catch {
            throw broken(off: error)
        }
        if isTransactional { try commit() }
        certain = published
    }

    private func deliver() throws(KafkaError) {
        let began = ContinuousClock.now
        var stopped: ContinuousClock.Instant?
        while true {
            do throws(KafkaError) {
                return try producer.flush(timeout: .seconds(1))
            } catch {
                let now = ContinuousClock.now
                if stop.isRequested, stopped == nil { stopped = now }
                guard error.isTimeout, !error.isFatal, now - began < Self.patience,
                    now - (stopped ?? now) < Self.grace, producer.queuedMessageCount > 0
                else { throw error }
            }
        }
    }

    // MARK: - Transactions

    private func begin() throws {
        guard isTransactional, opened == nil else { return }
        do throws(KafkaError) {
            try producer.beginTransaction()
        } catch {
            throw broken(off: error)
        }
        opened = .now
        openBytes = 0
    }

    private func commit() throws {
        do throws(KafkaError) {
            try deliver()
        } catch {
            throw broken(off: error)
        }
        do throws(KafkaError) {
            try producer.commitTransaction(timeout: commitPatience)
        } catch {
            // A refused commit has not happened. Without an answer, only the coordinator knows.
            let isRefused = error.requiresAbort || (error.isFatal && !error.isTimeout) || error.isFenced
            throw broken(off: error, rest: isRefused ? .takenBack : .inDoubt)
        }
        opened = nil
        certain = published
    }

    /// Makes the failure for an error, and aborts the open transaction if a broker can be reached in time. Otherwise
    /// the broker aborts it at its timeout.
    private func broken(off cause: KafkaError, rest: PublishFailure.Rest = .takenBack) -> PublishFailure {
        if isTransactional, opened != nil, rest == .takenBack, !cause.isFatal {
            do throws(KafkaError) {
                try producer.abortTransaction(timeout: Self.grace)
            } catch {}
        }
        opened = nil
        return PublishFailure(
            cause: cause, certain: certain, handedOver: published - certain, rest: isTransactional ? rest : .unknown)
    }

    /// Ends the publishing after an error from elsewhere: waits for the records handed over, and reports them.
    package func endEarly(_ tell: (ReplayEvent) -> Void) {
        do {
            try finish()
            tell(.warning("\(Wording.count(certain, "record")) had been published before this, and are there"))
        } catch {
            tell(.warning("\(error)"))
        }
    }

    /// Aborts an open transaction, so that it does not hold back readers until its timeout.
    package func close() {
        if opened != nil { try? producer.abortTransaction(timeout: Self.grace) }
        opened = nil
        producer.close(timeout: .zero)
    }
}

extension ClusterOutput.Delivery {
    /// As the worker publishes: in transactions unless `delivery` is `at-least-once`.
    package init(_ configuration: WorkerConfiguration) {
        self = configuration.delivery == .exactlyOnce ? .transactions(idPrefix: configuration.groupID) : .atLeastOnce
    }
}
