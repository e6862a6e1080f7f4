import KafkaClient
import Worker

/// Holds what a recording needs against the topics that it is to go to, before anything is published.
struct ReplayTargetCheck {
    let options: ClusterReplay.Options

    /// Tells what is going to happen, and what may not be as wanted.
    /// - Throws: ``WorkerError`` when a topic is missing or too small.
    func run(_ survey: RecordingSurvey, _ targets: TargetTopics, _ tell: (ReplayEvent) -> Void) throws {
        var problems: [String] = []
        var found: [(RecordingSurvey.Topic, TargetTopic)] = []
        for topic in survey.topics {
            let name = options.topicPrefix + topic.name
            guard let target = try targets.find(name) else {
                problems.append("there is no topic '\(name)'")
                continue
            }
            found.append((topic, target))
            problems += self.problems(of: topic, target)
        }
        guard problems.isEmpty else {
            throw WorkerError(
                .configuration,
                "Nothing was published: \(problems.joined(separator: "; ")). Make topics that the recording fits into, or "
                    + "publish to others with --topic-prefix")
        }
        tell(.note(plan(survey, found.map(\.1))))
        for (topic, target) in found { warn(of: topic, target, tell) }
        warn(of: survey, targets, tell)
    }

    private func problems(of topic: RecordingSurvey.Topic, _ target: TargetTopic) -> [String] {
        var problems: [String] = []
        let (needed, there) = (Int64(topic.highestPartition) + 1, Int64(target.partitionCount))
        if needed > there, !options.repartition {
            problems.append(
                "'\(target.name)' has \(Wording.count(Int(there), "partition")), but the recording has records of "
                    + "\(topic.name) [\(topic.highestPartition)], so it needs \(needed), or --repartition to place records by "
                    + "key")
        }
        // Packed records may fit all the same; only the broker knows.
        if let limit = target.maxMessageBytes, topic.largestRecord > limit, !isCompressed {
            problems.append(
                "'\(target.name)' takes at most \(limit) bytes (max.message.bytes), and the largest record of "
                    + "\(topic.name) has \(topic.largestRecord)")
        }
        return problems
    }

    private var isCompressed: Bool {
        options.properties.effectiveValue("compression.codec").map { $0 != "none" } ?? false
    }

    /// The first line: what goes where.
    private func plan(_ survey: RecordingSurvey, _ targets: [TargetTopic]) -> String {
        let names = targets.map(\.name).joined(separator: ", ")
        let servers = options.properties["bootstrap.servers"] ?? "?"
        var text = "publishing \(Wording.count(survey.records, "record")) to \(names) on \(servers)"
        if options.topicPrefix.isEmpty { text += " (the recorded topics' own names; --topic-prefix makes them others)" }
        text += ", speed \(options.speed)"
        switch options.speed {
        case .max: break
        case .rate(let rate): text += ", which takes \(Wording.time(.seconds(Double(survey.records) / rate)))"
        case .recorded(let times):
            let span = survey.pacedSpan
            text +=
                ", which takes \(Wording.time(.seconds(span / times))) for a recording of \(Wording.time(.seconds(span)))"
        }
        return text
    }

    private func warn(of topic: RecordingSurvey.Topic, _ target: TargetTopic, _ tell: (ReplayEvent) -> Void) {
        guard options.timestamps == .keep else { return }
        if target.isStampedByBroker {
            tell(
                .warning(
                    "'\(target.name)' gives records the time of their arrival (message.timestamp.type=LogAppendTime), so the "
                        + "recorded timestamps are not kept there"))
        } else if topic.beyondRetention > 0, let limit = target.retentionMilliseconds, let oldest = topic.oldest {
            tell(
                .warning(
                    "\(topic.beyondRetention) of \(Wording.count(topic.records, "record")) for '\(target.name)' are older "
                        + "than its retention.ms=\(limit) (\(Wording.time(.milliseconds(limit)))) keeps, the oldest from "
                        + "\(Wording.instant(oldest)): the broker will delete them. Set retention.ms=-1 on the topic, or "
                        + "publish with --timestamps now"))
        }
    }

    private func warn(of survey: RecordingSurvey, _ targets: TargetTopics, _ tell: (ReplayEvent) -> Void) {
        if !targets.unknownSettings.isEmpty, options.timestamps == .keep {
            tell(
                .warning(
                    "the settings of \(targets.unknownSettings.joined(separator: ", ")) could not be asked for, so whether "
                        + "records are older than the topic's retention is not known"))
        }
        guard options.timestamps == .keep else { return }
        if survey.timestampsOfZero > 0 {
            tell(
                .warning(
                    "\(Wording.count(survey.timestampsOfZero, "record")) with timestamp 0 (1970-01-01T00:00:00Z) cannot be "
                        + "published with it, since librdkafka takes 0 for now: they get the time of publishing"))
        }
        if survey.recordsWithoutTimestamp > 0 {
            tell(
                .warning(
                    "\(Wording.count(survey.recordsWithoutTimestamp, "record")) without a timestamp get the time of "
                        + "publishing"))
        }
    }
}

extension RecordingSurvey {
    /// Seconds from the first record's timestamp to the newest one's, as the pace has it.
    var pacedSpan: Double {
        guard let first = firstTimestamp, let span, span.upperBound > first else { return 0 }
        return Double(span.upperBound - first) / 1000
    }
}
