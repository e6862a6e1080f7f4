import KafkaClient
import Logging
import Records
import Worker

/// Where commands publish: keeps the order within each partition, waits for room, and knows what is surely there.
///
/// By default records go in transactions, one after the other, of some thousands of records or a second or two: what a
/// `read_committed` reader sees is complete up to some record, each once and in order, whatever breaks off. librdkafka's
/// idempotent producer alone does not promise it: after a broker's death it may give a batch a new sequence that the broker has
/// already written. A transaction ends with an error there. The first error ends the publishing with a ``PublishFailure``.
///
/// Not Sendable: used on one thread.
package final class ClusterOutput {
    package enum Delivery: Sendable, Equatable {
        /// With transactional ids that begin with this: the group's name, since permissions go by it.
        case transactions(idPrefix: String)
        /// The idempotent producer alone, for users without the permission for transactions.
        case atLeastOnce
    }

    /// librdkafka gives a record up after `message.timeout.ms`, five minutes by default, and says why; this is beyond it.
    private static let patience = Duration.seconds(330)
    /// How long a commit may go unanswered.
    var commitPatience = Duration.seconds(60)
    /// How long a stopped replay waits for what it has queued.
    private static let grace = Duration.seconds(15)
    /// How often failed deliveries are looked for, without transactions.
    private static let checkInterval = Duration.seconds(5)
    /// What one transaction may have. It fits into the producer's queue, and leaves long before its timeout.
    private static let transactionBounds = (records: 20_000, bytes: 16 << 20)

    private let producer: Producer
    private let stop: StopSignal
    private let isPaced: Bool
    private let isTransactional: Bool
    private var checked = ContinuousClock.now
    private var tried = ContinuousClock.now
    /// Since when the open transaction is open; nil: none is.
    private var opened: ContinuousClock.Instant?
    private var openBytes = 0
    /// Records that were handed over.
    package private(set) var published = 0
    /// Of these, how many are there for certain.
    package private(set) var certain = 0
    package private(set) var bytes = 0

    /// - Parameters:
    ///   - properties: the user's own, which win.
    ///   - isPaced: records leave at once instead of in full batches.
    ///   - largestRecord: bytes that one record may have, where that is known; the producer is made to take it.
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
            // Half a gigabyte of queue by default: what a replay reads is there to be read again.
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

    package func topic(_ name: String) throws(KafkaError) -> ProducerTopic { try producer.topic(name) }

    /// Queues one record; waits while the queue is full.
    /// - Parameters:
    ///   - partition: nil: where the key hashes, as Java clients do it.
    ///   - timestamp: milliseconds since 1970; nil (and 0, to librdkafka) is now, -1 is none.
    /// - Returns: false when the replay was stopped while it waited, and the record is not queued.
    /// - Throws: ``PublishFailure``; for earlier records too. `KafkaError` for a record that is too large: nothing is lost then.
    package func publish(
        to topic: ProducerTopic, partition: Int32?, key: Bytes?, value: Bytes?, timestamp: Int64?,
        headers: [RecordHeader], headersOf message: ConsumedMessage? = nil
    ) throws -> Bool {
        let deadline = ContinuousClock.now + Self.patience
        try begin()
        while true {
            do throws(KafkaError) {
                try producer.produce(
                    to: topic, partition: partition, key: key, value: value, timestamp: timestamp,
                    headersOf: message, extraHeaders: headers)
                break
            } catch {
                if error.name == "MSG_SIZE_TOO_LARGE" { throw error }
                guard error.isQueueFull, .now < deadline else { throw broken(off: error) }
                if stop.isRequested { return false }
                producer.poll(timeoutMilliseconds: 10)
            }
        }
        let size = (key?.count ?? 0) + (value?.count ?? 0)
        published += 1
        bytes += size
        openBytes += size
        if isPaced || published & 255 == 0 { try check() }
        return true
    }

    /// Now and then makes sure of what was published. Without transactions only a look at the deliveries tells of failures, and a
    /// paced replay must not stand still for it: it waits only when the queue was never found empty for long.
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

    /// Waits until every record is acknowledged and, in transactions, committed; once the replay is stopped, no longer than a
    /// grace.
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
            // Refused, it is not there. Not answered, only the coordinator knows.
            let isRefused = error.requiresAbort || error.isFatal || error.isFenced
            throw broken(off: error, rest: isRefused ? .takenBack : .inDoubt)
        }
        opened = nil
        certain = published
    }

    /// What an error means for the records so far. Aborts what is not committed, for as long as a broker may take for it; a
    /// transaction that cannot be aborted is the broker's to abort, at its timeout.
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

    /// Ends the publishing after an error that is not the output's own: what was handed over is made sure of, and told.
    package func endEarly(_ tell: (ReplayEvent) -> Void) {
        do {
            try finish()
            tell(.warning("\(Wording.count(certain, "record")) had been published before this, and are there"))
        } catch {
            tell(.warning("\(error)"))
        }
    }

    /// A transaction that is still open is aborted, so that it does not hold back its readers until its timeout.
    package func close() {
        if opened != nil { try? producer.abortTransaction(timeout: Self.grace) }
        opened = nil
        producer.close(timeout: .zero)
    }
}

extension ClusterOutput.Delivery {
    /// As the worker's own: in transactions unless `delivery` is `at-least-once`.
    package init(_ configuration: WorkerConfiguration) {
        self = configuration.delivery == .exactlyOnce ? .transactions(idPrefix: configuration.groupID) : .atLeastOnce
    }
}
