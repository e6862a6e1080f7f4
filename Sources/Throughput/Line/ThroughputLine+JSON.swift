import Bytes
import Worker

extension ThroughputLine {
    /// The line as in the log, without the line end: one JSON object, with the fields in order of declaration.
    package var json: String {
        JSONWriter.object { object in
            object.add("time", time)
            if let level { object.add("level", level) }
            if let logger { object.add("logger", logger) }
            object.add("message", message.rawValue)
            object.add("seconds", seconds)
            object.add("uptimeSeconds", uptimeSeconds)
            object.add("version", version)
            object.add("group", group)
            object.add("worker", worker)
            object.add("state", state.rawValue)
            add(.flow, to: &object)
            object.add("recordsInPerSecond", recordsInPerSecond)
            object.add("bytesInPerSecond", bytesInPerSecond)
            object.add("recordsOutPerSecond", recordsOutPerSecond)
            object.add("bytesOutPerSecond", bytesOutPerSecond)
            add(.content, to: &object)
            object.add("deadLetters", deadLetters)
            object.add("deadLettersTotal", deadLettersTotal)
            object.add("lag") { lag.write(to: &$0) }
            if let verdict { object.add("verdict") { verdict.write(to: &$0) } }
            object.add("timeShares") { timeShares.write(to: &$0) }
            if let latencyMs { object.add("latencyMs") { latencyMs.write(to: &$0) } }
            if let eventLatencyMs { object.add("eventLatencyMs") { eventLatencyMs.write(to: &$0) } }
            if let commitLatencyMs { object.add("commitLatencyMs") { commitLatencyMs.write(to: &$0) } }
            if let freshness { object.add("freshness") { freshness.write(to: &$0) } }
            add(.steps, to: &object)
            for gauge in LaneGauge.allCases {
                if let value = gauges[gauge.field] { object.add(gauge.field, value) }
            }
            object.add("offsetResets", offsetResets)
            object.add("store") { store.write(to: &$0) }
            object.add("process") { process.write(to: &$0) }
            object.add("lanes", each: lanes) { lane, object in lane.write(to: &object) }
        }
    }

    private func add(_ group: LaneCounter.Group, to object: inout JSONWriter) {
        for (total, field) in LaneCounter.logged where field.group == group {
            object.add(field.name, counts[keyPath: total])
        }
    }
}

extension ThroughputLine.Lag {
    fileprivate func write(to object: inout JSONWriter) {
        if let total { object.add("total", total) }
        object.add("topics", topics)
        if let largest { object.add("largest") { largest.write(to: &$0) } }
        object.add("partitions", each: partitions) { partition, object in partition.write(to: &object) }
        if let seconds { object.add("seconds", seconds) }
        if let ageSeconds { object.add("ageSeconds", ageSeconds) }
        guard !heldBack.isEmpty else { return }
        object.add("heldBack", each: heldBack) { held, object in
            object.add("topic", held.topic)
            object.add("partition", held.partition)
            object.add("records", held.records)
            object.add("from", held.from)
        }
    }
}

extension Verdict {
    fileprivate func write(to object: inout JSONWriter) {
        object.add("kind", kind.rawValue)
        object.add("tone", tone.rawValue)
        object.add("title", title)
        object.add("line", line)
        object.add("more", more)
        if let runbook { object.add("runbook", runbook) }
    }
}

extension ThroughputLine.Freshness {
    fileprivate func write(to object: inout JSONWriter) {
        object.add("objectiveMs", objectiveMs)
        object.add("within", within)
        object.add("of", of)
    }
}

extension ThroughputLine.Lag.Partition {
    fileprivate func write(to object: inout JSONWriter) {
        object.add("topic", topic)
        object.add("partition", partition)
        object.add("records", records)
    }
}

extension ThroughputLine.TimeShares {
    fileprivate func write(to object: inout JSONWriter) {
        for activity in LaneActivity.allCases { object.add(activity.field, self[activity]) }
    }
}

extension ThroughputLine.Percentiles {
    fileprivate func write(to object: inout JSONWriter) {
        object.add("count", count)
        object.add("p50", p50)
        object.add("p90", p90)
        object.add("p99", p99)
        object.add("max", max)
    }
}

extension ThroughputLine.Store {
    fileprivate func write(to object: inout JSONWriter) {
        object.add("bytes", bytes)
        object.add("answers", answers)
        object.add("votes", votes)
        object.add("partitions", partitions)
        object.add("restoring", each: restoring) { restore, object in
            object.add("partition", restore.partition)
            object.add("done", restore.done)
            if let all = restore.of { object.add("of", all) }
            object.add("seconds", restore.seconds)
        }
    }
}

extension ThroughputLine.Process {
    fileprivate func write(to object: inout JSONWriter) {
        object.add("residentBytes", residentBytes)
        object.add("cpuSeconds", cpuSeconds)
        object.add("cpuCores", cpuCores)
    }
}

extension ThroughputLine.Lane {
    fileprivate func write(to object: inout JSONWriter) {
        object.add("lane", lane)
        object.add("partitions", partitions)
        if let sources {
            object.add("sources", each: sources) { source, object in
                object.add("topic", source.topic)
                object.add("partitions", source.partitions)
            }
        }
        if let sourceIndex {
            object.add("sourceIndex") { object in
                object.add("done", sourceIndex.done)
                if let all = sourceIndex.of { object.add("of", all) }
                object.add("seconds", sourceIndex.seconds)
            }
        }
        add(.flow, to: &object)
        add(.content, to: &object)
        object.add("deadLetters", deadLetters)
        add(.steps, to: &object)
        if let lag { object.add("lag", lag) }
        object.add("timeShares") { timeShares.write(to: &$0) }
        if let waitingFor { object.add("waitingFor", waitingFor) }
        if let waitingSeconds { object.add("waitingSeconds", waitingSeconds) }
        if let waitingCause { object.add("waitingCause", waitingCause) }
    }

    private func add(_ group: LaneCounter.Group, to object: inout JSONWriter) {
        for (total, field) in LaneCounter.logged where field.group == group && field.isOfLanes {
            object.add(field.name, counts[keyPath: total])
        }
    }
}
