import Bytes
import Worker

extension ThroughputLine {
    /// Reads a log line, or an event of the admin port, of this version or another. Missing fields are 0 or absent;
    /// unknown fields are ignored.
    ///
    /// - Returns: nil for a line without time, worker, length or uptime, or of another kind.
    package init?(json text: String) {
        guard let value = JSONValue(text, deepest: LogEntry.deepest) else { return nil }
        self.init(value)
    }

    /// Reads a parsed line; the rules are those of ``init(json:)``.
    package init?(_ value: JSONValue) {
        guard let time = value.text("time"), let kind = value.text("message").flatMap(Kind.init(rawValue:)),
            value.text("logger") ?? "throughput" == "throughput", let worker = value.text("worker"),
            let seconds = value.double("seconds"), let uptime = value.double("uptimeSeconds"), seconds >= 0, uptime >= 0
        else { return nil }
        let deadLetters = Self.counts(value["deadLetters"])
        self.init(
            time: time, level: value.text("level"), logger: value.text("logger"), message: kind, seconds: seconds,
            uptimeSeconds: uptime, version: value.text("version") ?? "",
            group: value.text("group") ?? "", worker: worker,
            state: value.text("state").flatMap(State.init(rawValue:)) ?? .working,
            counts: value.counts { _ in true }, recordsInPerSecond: value.amount("recordsInPerSecond"),
            bytesInPerSecond: value.amount("bytesInPerSecond"),
            recordsOutPerSecond: value.amount("recordsOutPerSecond"),
            bytesOutPerSecond: value.amount("bytesOutPerSecond"),
            deadLetters: deadLetters,
            deadLettersTotal: Self.total(value.int("deadLettersTotal") ?? deadLetters.values.reduce(0, Self.sum)),
            lag: Lag(value.member("lag")), verdict: value["verdict"].flatMap(Verdict.init),
            timeShares: TimeShares(value.member("timeShares")),
            latencyMs: value["latencyMs"].flatMap(Percentiles.init),
            eventLatencyMs: value["eventLatencyMs"].flatMap(Percentiles.init),
            commitLatencyMs: value["commitLatencyMs"].flatMap(Percentiles.init),
            freshness: value["freshness"].flatMap(Freshness.init),
            gauges: LaneGauge.allCases.reduce(into: [:]) { gauges, gauge in
                if value[gauge.field] != nil { gauges[gauge.field] = value.amount(gauge.field) }
            },
            offsetResets: value.count("offsetResets"),
            store: Store(value.member("store")), process: Process(value.member("process")),
            lanes: value.array("lanes").map(Lane.init))
    }

    private static func counts(_ value: JSONValue?) -> [String: Int] {
        (value?.members ?? []).reduce(into: [:]) { counts, field in
            if let count = field.value.integer { counts[field.name] = clamped(count) }
        }
    }

    /// Saturates: the sum of a file's counts may overflow.
    fileprivate static func sum(_ left: Int, _ right: Int) -> Int {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    /// Clamped to 0...2^40: `report` and `top` add the totals of millions of lines.
    private static func total(_ count: Int) -> Int { min(max(count, 0), 1 << 40) }

    fileprivate static func clamped(_ count: Int) -> Int { min(max(count, 0), 1 << 53) }
}

extension JSONValue {
    /// A field's text, for people.
    func text(_ name: String) -> String? { self[name]?.text(loneSurrogates: .replaced) }

    func int(_ name: String) -> Int? {
        guard let value = self[name] else { return nil }
        return value.integer ?? value.double.flatMap { Int(exactly: $0.rounded()) }
    }

    func double(_ name: String) -> Double? { self[name]?.double }

    fileprivate func array(_ name: String) -> [JSONValue] { self[name]?.elements ?? [] }

    /// Clamped to 0...2^53, the integers that a Double holds exactly.
    fileprivate func count(_ name: String) -> Int { int(name).map(ThroughputLine.clamped) ?? 0 }

    fileprivate func counts(where isWanted: (LaneCounter.Field) -> Bool) -> LaneTotals {
        LaneCounter.logged.reduce(into: LaneTotals()) { counts, counter in
            if isWanted(counter.field) { counts[keyPath: counter.total] = count(counter.field.name) }
        }
    }

    /// Clamped to 0...1e18.
    fileprivate func amount(_ name: String) -> Double { double(name).map { min(max($0, 0), 1e18) } ?? 0 }

    fileprivate func partition(_ name: String) -> Int32 { int(name).flatMap(Int32.init(exactly:)) ?? 0 }
}

extension ThroughputLine.Lag {
    fileprivate init(_ value: JSONValue) {
        let topics = value.member("topics").members.reduce(into: [String: Int64]()) { topics, field in
            topics[field.name] = Int64(value.member("topics").count(field.name))
        }
        let partitions = value.array("partitions").map(Partition.init)
        self.init(
            total: value.int("total").map { Int64(ThroughputLine.clamped($0)) }, topics: topics,
            largest: value["largest"].flatMap { $0.kind == .null ? nil : Partition($0) },
            partitions: partitions, seconds: value["seconds"].map { _ in value.amount("seconds") },
            ageSeconds: value["ageSeconds"].map { _ in value.amount("ageSeconds") },
            heldBack: value.array("heldBack").map { held in
                HeldBack(
                    topic: held.text("topic") ?? "", partition: held.partition("partition"),
                    records: Int64(held.count("records")), from: Int64(held.count("from")))
            })
    }
}

extension Verdict {
    fileprivate init?(_ value: JSONValue) {
        guard let kind = value.text("kind").flatMap(Kind.init(rawValue:)), let title = value.text("title") else {
            return nil
        }
        self.init(
            kind: kind, tone: value.text("tone").flatMap(Tone.init(rawValue:)) ?? .fair, title: title,
            line: value.text("line") ?? title, more: value.text("more") ?? "", runbook: value.text("runbook"))
    }
}

extension ThroughputLine.Freshness {
    fileprivate init?(_ value: JSONValue) {
        guard value["of"] != nil else { return nil }
        self.init(objectiveMs: value.count("objectiveMs"), within: value.count("within"), of: value.count("of"))
    }
}

extension ThroughputLine.Lag.Partition {
    fileprivate init(_ value: JSONValue) {
        self.init(
            topic: value.text("topic") ?? "", partition: value.partition("partition"),
            records: Int64(value.count("records")))
    }
}

extension ThroughputLine.TimeShares {
    fileprivate init(_ value: JSONValue) {
        self.init { value.amount($0.field) }
    }
}

extension ThroughputLine.Percentiles {
    fileprivate init?(_ value: JSONValue) {
        guard value["p50"] != nil else { return nil }
        self.init(
            count: value.count("count"), p50: value.amount("p50"), p90: value.amount("p90"), p99: value.amount("p99"),
            max: value.amount("max"))
    }
}

extension ThroughputLine.Store {
    fileprivate init(_ value: JSONValue) {
        self.init(
            bytes: value.count("bytes"), answers: value.count("answers"), votes: value.count("votes"),
            partitions: value.count("partitions"),
            restoring: value.array("restoring").map { restore in
                Restore(
                    partition: restore.partition("partition"), done: Int64(restore.count("done")),
                    of: restore.int("of").map { Int64(ThroughputLine.clamped($0)) }, seconds: restore.amount("seconds"))
            })
    }
}

extension ThroughputLine.Process {
    fileprivate init(_ value: JSONValue) {
        self.init(
            residentBytes: Int64(value.count("residentBytes")), cpuSeconds: value.amount("cpuSeconds"),
            cpuCores: value.amount("cpuCores"))
    }
}

extension ThroughputLine.Lane {
    fileprivate init(_ value: JSONValue) {
        self.init(
            lane: value.count("lane"),
            partitions: Self.partitions(value["partitions"]), counts: value.counts(where: \.isOfLanes),
            deadLetters: value.count("deadLetters"),
            lag: value.int("lag").map { Int64(ThroughputLine.clamped($0)) },
            timeShares: ThroughputLine.TimeShares(value.member("timeShares")), waitingFor: value.text("waitingFor"),
            waitingSeconds: value.double("waitingSeconds").map { min(max($0, 0), 1e12) },
            waitingCause: value.text("waitingCause"),
            sources: (value["sources"]?.elements).map { sources in
                sources.compactMap { source in
                    source.text("topic").map { Source(topic: $0, partitions: Self.partitions(source["partitions"])) }
                }
            },
            sourceIndex: value["sourceIndex"].map { index in
                IndexRestore(
                    done: Int64(ThroughputLine.clamped(index.count("done"))),
                    of: index.int("of").map { Int64(ThroughputLine.clamped($0)) },
                    seconds: min(max(index.double("seconds") ?? 0, 0), 1e12))
            })
    }

    private static func partitions(_ value: JSONValue?) -> [Int32] {
        (value?.elements ?? []).compactMap { element in
            element.integer.flatMap(Int32.init(exactly:))
        }
    }
}
