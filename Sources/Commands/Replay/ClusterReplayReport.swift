import Recording

/// Text shared by the final reports of the replays that publish to a cluster.
enum ClusterReplayReport {
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    static func time(_ duration: Duration) -> String { duration.forPeople }

    static func topics(_ counts: [String: Int]) -> String {
        counts.sorted { $0.key < $1.key }.map { "\($0.value) to \(Printable.text($0.key))" }.joined(separator: ", ")
    }
}

extension ClusterReplay.Summary {
    /// The tolerated delay of the last acknowledgement, which comes with a commit at most a quarter of a second later.
    private static let tolerance = Duration.seconds(1)

    /// Sentences for people.
    var lines: [String] {
        typealias Report = ClusterReplayReport
        if isDryRun { return ["nothing was published (--dry-run): \(Report.count(total, "record")) would be"] }
        var first = Report.count(records, "record")
        if wasStopped { first = "stopped: \(records) of \(Report.count(total, "record"))" }
        first += " published in \(Report.time(elapsed))"
        if !topics.isEmpty { first += ": \(Report.topics(topics))" }
        var lines = [first]
        guard let planned else { return lines }
        if farthestBehind == .zero, behindAtEnd > Self.tolerance {
            lines.append(
                "fell behind its pace: every record was sent in time, but the brokers took the last one "
                    + "\(Report.time(behindAtEnd)) after the \(Report.time(planned)) that it was due at")
        } else if farthestBehind > .zero {
            lines.append(
                "fell behind its pace: by \(Report.time(farthestBehind)) at most; the last record was there "
                    + "\(Report.time(behindAtEnd)) after the \(Report.time(planned)) that it was due at")
        } else {
            lines.append("kept its pace: due at \(Report.time(planned)), there after \(Report.time(elapsed))")
        }
        if backwards > 0 {
            lines.append(
                "\(Report.count(backwards, "record")) with an older timestamp than a record before them were sent at "
                    + "once; a recording in the order of time has none")
        }
        return lines
    }
}

extension WindowReplay.Summary {
    /// Sentences for people.
    func lines(outputTopic: String) -> [String] {
        typealias Report = ClusterReplayReport
        var lines = [
            "\(wasStopped ? "stopped: " : "")\(Report.count(events, "event")) read and "
                + "\(Report.count(enriched, "record")) published to \(Printable.text(outputTopic)) in "
                + "\(Report.time(elapsed)), with \(Report.count(tableRecords, "table record"))"
        ]
        let refused = deadLetters.values.reduce(0, +)
        if refused > 0 {
            let codes = deadLetters.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                "\($0.value) \($0.key.rawValue)"
            }
            lines.append(
                "\(Report.count(refused, "event")) could not be enriched (\(codes.joined(separator: ", "))); "
                    + (deadLettersPublished
                        ? "the dead letters were published"
                        : "no dead letters were published (--dead-letter-topic does)"))
        }
        if beyondRetention > 0 {
            lines.append(
                "\(Report.count(beyondRetention, "record")) of these are older than \(Printable.text(outputTopic)) "
                    + "keeps: the broker will delete them")
        }
        lines += holes.prefix(10).map { "warning: \(Printable.text($0.description, limit: 500))" }
        if tableRecordsRefused > 0 {
            lines.append(
                "\(Report.count(tableRecordsRefused, "table record")) that the worker would make dead letters of "
                    + "\(tableRecordsRefused == 1 ? "was" : "were") passed over")
        }
        return lines
    }
}

extension DeadLetterReturn.Summary {
    /// Sentences for people.
    func lines(isDryRun: Bool) -> [String] {
        typealias Report = ClusterReplayReport
        let count = returned.values.reduce(0, +)
        let doing = isDryRun ? "would be published again" : "published again"
        var first = "\(wasStopped ? "stopped: " : "")\(count) of \(Report.count(letters, "dead letter")) \(doing)"
        if count > 0 { first += ": \(Report.topics(returned))" }
        var lines = [first]
        if returnedBefore > 0 {
            lines.append(
                "\(returnedBefore) of these had come back before and failed again (\(ReturnedLetter.mark) says how "
                    + "often)"
            )
        }
        if otherCodes > 0 { lines.append("\(Report.count(otherCodes, "dead letter")) of other codes passed over") }
        for (obstacle, number) in kept.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            lines.append("\(Report.count(number, "dead letter")) cannot come back: \(obstacle.reason)")
        }
        lines += holes.prefix(10).map { "warning: \(Printable.text($0.description, limit: 500))" }
        if count > 0, !isDryRun {
            lines.append(
                "the dead letters are still in their topic: the same window once more would publish these records twice"
            )
        }
        return lines
    }
}

extension ReturnedLetter {
    /// The record's topic, partition, offset, code, message and key, separated by tabs, then why it cannot come back.
    var line: String {
        let place =
            source.map { "\(Printable.text($0.topic))\t\($0.partition)" }
            ?? "\(Printable.text(letter.topic))\t\(letter.partition)"
        let offset = source == nil ? letterOffset : sourceOffset ?? -1
        let key = key.map { Printable.quoted(String(decoding: $0, as: UTF8.self)) } ?? "null"
        var line = "\(place)\t\(offset)\t\(Printable.text(code))\t\(Printable.text(message, limit: 400))\t\(key)"
        if returnedBefore > 0 { line += "\thas come back before: \(returnedBefore)" }
        if let obstacle { line += "\tcannot come back: \(obstacle.reason)" }
        return line
    }
}

extension ReturnedLetter.Obstacle {
    /// The reason, for people.
    var reason: String {
        switch self {
        case .valueOmitted: "the value was left out of the dead letter, since both together were too large"
        case .headersOmitted: "the headers were left out of the dead letter, since both together were too large"
        case .keyOmitted: "the key was left out of the dead letter, since both together were too large"
        case .sourceUnknown: "no headers say which record it was"
        case .sourceRecord:
            "it is a source's record: correct the mapping, and let the sources read its topic again from there "
                + "(docs/sources.md, Rows that were refused)"
        case .foreignTopic: "its topic is none of the configured inputs"
        case .partitionGone: "its topic does not have its partition any more"
        }
    }
}
