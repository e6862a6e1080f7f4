import Foundation
import KafkaClient
import Logging
import Worker

/// Checks whether a worker would run on a cluster. The only write is the registration of a transactional id of its own.
/// Its calls block, for `patience` in total.
struct ClusterCheck {
    let configuration: WorkerConfiguration
    let logger: Logger
    /// Longest time for all checks together.
    var patience = Duration.seconds(13)

    /// Longest wait for the first answer of a broker.
    private static let connectPatience = Duration.seconds(8)

    /// - Parameter report: called with each result as soon as it is known.
    func run(_ report: (CheckResult) -> Void) {
        let deadline = ContinuousClock.now + patience
        func left(_ longest: Duration = .seconds(5)) -> Duration {
            max(.milliseconds(200), min(longest, deadline - .now))
        }
        do {
            try checkClients()
            report(.ok("client settings", "librdkafka takes them"))
        } catch {
            return report(Self.failure("client settings", error))
        }
        let place = "brokers \(configuration.kafkaProperties["bootstrap.servers"] ?? "")"
        let admin: AdminClient
        do {
            admin = try AdminClient(properties: properties.admin, logger: logger)
        } catch {
            return report(Self.failure("client settings", error))
        }
        defer { admin.close() }
        do {
            let cluster = try admin.clusterID(timeout: left(Self.connectPatience))
            let count = try admin.brokerCount(timeout: left())
            report(.ok(place, "cluster \(cluster), \(count) \(count == 1 ? "broker" : "brokers")"))
        } catch {
            report(Self.failure(place, error))
            for subject in ["topics", "group \(configuration.groupID)"] + (needsTransactions ? ["transactions"] : []) {
                report(.skipped(subject, "no broker answers"))
            }
            return
        }
        let found = checkTopics(admin, report, left)
        checkPartitionCounts(found, report)
        checkReading(found, report, left(.seconds(8)))
        checkGroup(admin, found, report, left)
        if needsTransactions { checkTransactions(report, left(.seconds(6))) }
        if configuration.runsSources { SourceCheck(configuration: configuration, logger: logger).run(report, left) }
        // Last, since a worker runs without this answer, too.
        checkSettings(admin, Set(found.keys), report, left)
    }

    /// Checks only the topics' settings, which a starting worker has not queried yet.
    func runSettings(_ report: (CheckResult) -> Void) {
        let deadline = ContinuousClock.now + patience
        do {
            let admin = try AdminClient(properties: properties.admin, logger: logger)
            defer { admin.close() }
            checkSettings(admin, Set(configuration.allTopics), report) {
                max(.milliseconds(200), min($0, deadline - .now))
            }
        } catch {
            report(Self.failure("client settings", error))
        }
    }

    /// Creates a lane's clients, which neither join nor register: librdkafka reports clashing properties only there.
    private func checkClients() throws(KafkaError) {
        let logger = Logger(label: "check") { _ in SwiftLogNoOpLogHandler() }
        let consumer = try GroupConsumer(properties: properties.groupConsumer, logger: logger)
        consumer.close(timeout: .seconds(1))
        let follower = try AssignedConsumer(properties: properties.follower, logger: logger)
        follower.close()
        let producer = try Producer(
            properties: properties.producer, transactionalID: needsTransactions ? "rejoinder-check" : nil,
            logger: logger)
        producer.close(timeout: .seconds(1))
    }

    private var properties: ClientProperties {
        ClientProperties(configuration: configuration, identity: "check", lane: 0)
    }

    private var needsTransactions: Bool { configuration.delivery == .exactlyOnce }

    // MARK: Topics

    private func checkTopics(_ admin: AdminClient, _ report: (CheckResult) -> Void, _ left: (Duration) -> Duration)
        -> [String: TopicDescription]
    {
        var found: [String: TopicDescription] = [:]
        for name in configuration.allTopics {
            do {
                let description = try admin.describe(topics: [name], timeout: left(.seconds(5)))[name]
                report(Self.judge(description, name))
                found[name] = description
            } catch {
                report(Self.failure("topic \(name)", error))
            }
        }
        return found
    }

    /// Fetches from each input topic: a user that may see a topic and not read it gets its description all the same.
    /// Reports failures alone.
    private func checkReading(
        _ found: [String: TopicDescription], _ report: (CheckResult) -> Void, _ patience: Duration
    ) {
        let deadline = ContinuousClock.now + patience
        var waiting = Set(configuration.topics.inputs.filter { found[$0]?.leaderlessPartitions.isEmpty == true })
        do throws(KafkaError) {
            let consumer = try AssignedConsumer(properties: properties.follower, logger: logger)
            defer { consumer.close() }
            let places = waiting.map { (TopicPartition(topic: $0, partition: 0), AssignedConsumer.end) }
            try consumer.assign(Dictionary(uniqueKeysWithValues: places))
            while !waiting.isEmpty, .now < deadline {
                switch consumer.poll(timeoutMilliseconds: 100) {
                case .message(let message):
                    waiting.remove(message.topicPartition.topic)
                    message.release()
                case .endOfPartition(let place, _): waiting.remove(place.topic)
                case .failure(let error) where error.name == "TOPIC_AUTHORIZATION_FAILED":
                    guard let topic = error.partition?.topic, waiting.remove(topic) != nil else { continue }
                    report(Self.failure("reading \(topic)", error))
                case .failure, .rebalance, .nothing: break
                }
            }
        } catch {
            report(Self.failure("reading the input topics", error))
        }
    }

    private static func judge(_ description: TopicDescription?, _ name: String) -> CheckResult {
        guard let description else {
            return .fail(
                "topic \(name)", "does not exist",
                "make it with 'rejoinder topics create', or name another under topics in the configuration")
        }
        guard description.leaderlessPartitions.isEmpty else {
            let numbers = description.leaderlessPartitions.prefix(10).map(String.init).joined(separator: ", ")
            return .fail(
                "topic \(name)", "there is no leader of partition \(numbers)",
                "see whether all brokers run; try again when the partitions have leaders", .broker)
        }
        let count = description.partitionCount
        return .ok(
            "topic \(name)",
            "\(count) \(count == 1 ? "partition" : "partitions"), replication factor \(description.replicationFactor)")
    }

    private func checkPartitionCounts(_ found: [String: TopicDescription], _ report: (CheckResult) -> Void) {
        let names = configuration.topics.inputs
        let counts = names.compactMap { found[$0]?.partitionCount }
        guard counts.count == names.count else { return report(.skipped("partition counts", "a topic is missing")) }
        let text = zip(names, counts).map { "\($0) has \($1)" }.joined(separator: ", ")
        guard Set(counts).count == 1 else {
            return report(
                .fail(
                    "partition counts", text,
                    "a question meets the answers and votes of its own partition number, so the three must be equal; "
                        + "adding partitions moves keys, so do it before there is data, or copy the data into new "
                        + "topics"
                ))
        }
        report(.ok("partition counts", "questions, answers and votes have \(counts[0]) each"))
    }

    private func checkSettings(
        _ admin: AdminClient, _ existing: Set<String>, _ report: (CheckResult) -> Void,
        _ left: (Duration) -> Duration
    ) {
        let all = TopicNeeds.all(
            configuration.topics, maxMessageBytes: properties.maxMessageBytes, publishOn: configuration.publishOn,
            hasSources: !configuration.sources.isEmpty)
        for topic in all where !topic.needs.isEmpty && existing.contains(topic.topic) {
            let subject = "settings of \(topic.topic)"
            do {
                let settings = try admin.topicSettings(topic.topic, timeout: left(.seconds(3)))
                let unmet = topic.unmet(by: settings)
                for need in unmet {
                    let finding = "\(need.difference(from: settings[need.setting] ?? "")): \(need.reason)"
                    let advice = Self.advice(need, topic.topic)
                    report(need.weight == .required ? .fail(subject, finding, advice) : .warn(subject, finding, advice))
                }
                if unmet.isEmpty {
                    let made = topic.needs.filter(\.isSetOnCreation)
                    let text = made.map { "\($0.setting) \(settings[$0.setting] ?? "unknown")" }
                    report(.ok(subject, made.isEmpty ? "as needed" : text.joined(separator: ", ")))
                }
            } catch {
                report(
                    .warn(
                        subject, "cannot be read: \(Printable.text(error.reason))",
                        error.isAuthorization
                            ? "allow DESCRIBE_CONFIGS on the topic to have it looked at"
                            : "a worker runs without this answer; see that the brokers are well, and check again"))
            }
        }
    }

    private static func advice(_ need: TopicNeeds.Need, _ topic: String) -> String {
        let own =
            need.setting != "max.message.bytes"
            ? "" : ", or lower message.max.bytes under kafka.properties"
        return need.remedy(topic: topic) + own
    }

    // MARK: Group and transactions

    /// Queries the committed offsets. Does not join, since a join would move partitions of running workers.
    private func checkGroup(
        _ admin: AdminClient, _ found: [String: TopicDescription], _ report: (CheckResult) -> Void,
        _ left: (Duration) -> Duration
    ) {
        let subject = "group \(configuration.groupID)"
        let name = configuration.topics.questions
        let partitions = (0..<(found[name]?.partitionCount ?? 1)).map { TopicPartition(topic: name, partition: $0) }
        do {
            let offsets = try admin.committedOffsets(
                group: configuration.groupID, of: partitions, timeout: left(.seconds(5)))
            report(.ok(subject, offsets.isEmpty ? "has committed nothing yet" : "has committed offsets"))
        } catch {
            report(Self.failure(subject, error))
        }
    }

    /// Registers an id with the prefix of the lanes' ids, so that the same permissions apply. No lane has this id, so
    /// no running worker is fenced.
    private func checkTransactions(_ report: (CheckResult) -> Void, _ timeout: Duration) {
        let id = properties.transactionalID
        let subject = "transactional id \(id)"
        do {
            let producer = try Producer(properties: properties.producer, transactionalID: id, logger: logger)
            defer { producer.close(timeout: .milliseconds(500)) }
            try producer.initTransactions(timeout: timeout)
            report(.ok(subject, "can be used"))
        } catch {
            var result = Self.failure(subject, error)
            if error.isTimeout || error.name.hasPrefix("COORDINATOR") {
                result.advice =
                    "see whether the cluster can keep its transaction log: with fewer than 3 brokers it needs "
                    + "transaction.state.log.replication.factor and transaction.state.log.min.isr to be lower; or "
                    + "choose delivery: at-least-once"
            }
            report(result)
        }
    }

    /// An error as a result, with the remedy for its kind.
    private static func failure(_ subject: String, _ error: KafkaError) -> CheckResult {
        let finding = "\(Printable.text(error.reason, limit: 400)) (\(error.name))"
        if error.isAuthorization {
            return .fail(subject, finding, "ask the cluster's administrator for the permission, or use another name")
        }
        if error.name == "_AUTHENTICATION" || error.name == "_SSL" || error.name == "SASL_AUTHENTICATION_FAILED" {
            return .fail(
                subject, finding, "see security.protocol, sasl.* and ssl.* under kafka.properties", .broker)
        }
        if error.isUnreachable {
            return .fail(
                subject, finding,
                "see that the cluster runs and that kafka.bootstrapServers (--bootstrap-servers) names it", .broker)
        }
        return .fail(subject, finding, "see the broker's log")
    }
}
