import KafkaClient
import Worker

/// Checks a recording's demands against its target topics, before publishing begins.
struct ReplayTargetCheck {
    let options: ClusterReplay.Options

    /// Reports the plan and likely problems.
    /// - Throws: ``WorkerError`` when a topic is missing or too small.
    func run(_ survey: RecordingSurvey, _ targets: TargetTopics, _ tell: (ReplayEvent) -> Void) throws {
        var problems: [String] = []
        var found: [(RecordingSurvey.Topic, TargetTopic)] = []
        for topic in survey.topics {
            let name = options.target(of: topic.name)
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
                "Nothing was published: \(problems.joined(separator: "; ")). Make topics that the recording fits into, "
                    + "or publish to others with --topic-prefix")
        }
        for line in plan(survey, found) { tell(.note(line)) }
        try refuseLiveTopics(found, tell)
        for warning in survey.warnings { tell(.warning(warning)) }
        for (topic, target) in found { warn(of: topic, target, tell) }
        warn(of: survey, targets, tell)
    }

    /// Refuses topics that a live worker or its readers may use.
    private func refuseLiveTopics(
        _ found: [(RecordingSurvey.Topic, TargetTopic)], _ tell: (ReplayEvent) -> Void
    ) throws {
        guard !options.allowsLiveTopics else { return }
        let live = found.filter { $0.0.name == $0.1.name || options.liveTopics.contains($0.1.name) }.map(\.1.name)
        guard !live.isEmpty else { return }
        let names = live.map { "'\($0)'" }.joined(separator: ", ")
        let way =
            "give them other names with --topic-prefix or --rename, or add --yes-to-live-topics if they are meant"
        guard !options.isDryRun else {
            return tell(.warning("\(names) may be live topics: without --dry-run this would be refused; \(way)"))
        }
        throw WorkerError(
            .configuration,
            "Nothing was published: \(names) may be live topics, and the workers and readers there would get these "
                + "records as new ones; \(way)")
    }

    private func problems(of topic: RecordingSurvey.Topic, _ target: TargetTopic) -> [String] {
        var problems: [String] = []
        let (needed, there) = (Int64(topic.highestPartition) + 1, Int64(target.partitionCount))
        if needed > there, !options.repartition {
            problems.append(
                "'\(target.name)' has \(Wording.count(Int(there), "partition")), but the recording has records of "
                    + "\(topic.name) [\(topic.highestPartition)], so it needs \(needed), or --repartition to place "
                    + "records by key")
        }
        // A compressed record may still fit; only the broker knows.
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

    /// The first lines: the source and target of each topic.
    private func plan(_ survey: RecordingSurvey, _ found: [(RecordingSurvey.Topic, TargetTopic)]) -> [String] {
        let servers = options.properties["bootstrap.servers"] ?? "?"
        var text =
            "\(options.isDryRun ? "would publish" : "publishing") \(Wording.count(survey.records, "record")) to "
            + "\(servers), speed \(options.speed)"
        switch options.speed {
        case .max: break
        case .rate(let rate): text += ", which takes \(Wording.time(.seconds(Double(survey.records) / rate)))"
        case .recorded(let times):
            let span = survey.pacedSpan
            text +=
                ", which takes \(Wording.time(.seconds(span / times))) for a recording of "
                + "\(Wording.time(.seconds(span)))"
        }
        return [text]
            + found.map { topic, target in
                let name = topic.name == target.name ? "\(topic.name), as recorded" : "\(topic.name) -> \(target.name)"
                return "  \(name): \(Wording.count(topic.records, "record")) into "
                    + Wording.count(Int(target.partitionCount), "partition")
            }
    }

    private func warn(of topic: RecordingSurvey.Topic, _ target: TargetTopic, _ tell: (ReplayEvent) -> Void) {
        if topic.misplaced > 0 {
            tell(
                .warning(
                    "\(topic.misplaced) of \(Wording.count(topic.records, "record")) for '\(target.name)' were "
                        + "recorded in other partitions than their keys hash to among its \(target.partitionCount): "
                        + "records that producers add later would not meet them. --repartition places all by key"))
        }
        guard options.timestamps == .keep else { return }
        if target.isStampedByBroker {
            tell(
                .warning(
                    "'\(target.name)' gives records the time of their arrival (message.timestamp.type=LogAppendTime), "
                        + "so the recorded timestamps are not kept there"))
        } else if topic.beyondRetention > 0, let limit = target.retentionMilliseconds, let oldest = topic.oldest {
            tell(
                .warning(
                    "\(topic.beyondRetention) of \(Wording.count(topic.records, "record")) for '\(target.name)' are "
                        + "older than its retention.ms=\(limit) (\(Wording.time(.milliseconds(limit)))) keeps, the "
                        + "oldest from \(Wording.instant(oldest)): the broker will delete them. Set retention.ms=-1 "
                        + "on the topic, or publish with --timestamps now"))
        }
    }

    private func warn(of survey: RecordingSurvey, _ targets: TargetTopics, _ tell: (ReplayEvent) -> Void) {
        if !targets.unknownSettings.isEmpty, options.timestamps == .keep {
            tell(
                .warning(
                    "the settings of \(targets.unknownSettings.joined(separator: ", ")) could not be asked for, so "
                        + "whether records are older than the topic's retention is not known"))
        }
        guard options.timestamps == .keep else { return }
        if survey.timestampsOfZero > 0 {
            tell(
                .warning(
                    "\(Wording.count(survey.timestampsOfZero, "record")) with timestamp 0 (1970-01-01T00:00:00Z) "
                        + "cannot be published with it, since librdkafka takes 0 for now: they get the time of "
                        + "publishing"))
        }
        if survey.recordsWithoutTimestamp > 0 {
            tell(
                .warning(
                    "\(Wording.count(survey.recordsWithoutTimestamp, "record")) without a timestamp: published without "
                        + "one"
                ))
        }
    }
}

extension RecordingSurvey {
    /// Seconds from the first record's timestamp to the newest one's, by which the pace counts.
    var pacedSpan: Double {
        guard let first = firstTimestamp, let span, span.upperBound > first else { return 0 }
        return Double(span.upperBound - first) / 1000
    }
}
