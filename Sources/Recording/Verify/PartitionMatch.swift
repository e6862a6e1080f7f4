import Bytes
import KafkaClient
import Records
import Worker

/// Matches the events of one partition with their published records. Not Sendable.
struct PartitionMatch {
    /// An event without a published record, which may have been compacted away.
    private struct Suspect {
        var offset: Int64
        var key: String
        var digest: UInt64
        var isDeletion: Bool
        /// Output offset of a later record of the question.
        var later: Int64?
    }

    private let place: TopicPartition
    private let published: PublishedRecords
    private let letters: [Int64: Verification.Letter]
    private let remake: PartitionRemake
    private let isSampled: (Bytes?) -> Bool
    private let keepsNumber: Bool
    private let isCompacted: Bool
    private let isTrimmed: Bool
    /// nil: records do not follow changes.
    private let caused: CausedRecords?
    private let latest: LatestRecords?
    private var report = VerificationReport()
    private var suspects: [Suspect] = []

    init(
        place: TopicPartition, published: PublishedRecords, letters: [Int64: Verification.Letter],
        remake: PartitionRemake, isSampled: @escaping (Bytes?) -> Bool, keepsNumber: Bool, isCompacted: Bool,
        isTrimmed: Bool, caused: CausedRecords?, latest: LatestRecords?
    ) {
        self.place = place
        self.published = published
        self.letters = letters
        self.remake = remake
        self.isSampled = isSampled
        self.keepsNumber = keepsNumber
        self.isCompacted = isCompacted
        self.isTrimmed = isTrimmed
        self.caused = caused
        self.latest = latest
    }

    // MARK: - An event

    /// Takes the next event of the partition.
    mutating func take(_ event: ConsumedMessage, _ records: SortedRecords) throws {
        report.events += 1
        try passStrays(records, before: event.offset)
        var count = 0
        while let record = records.head, record.rank == event.offset {
            let isCaused = record.tag & PublishedRecords.Mark.caused != 0
            report.records += 1
            if count > 0, !isCaused {
                add(.doubled, event, ["it is published at offset \(record.offset) of its output partition once more"])
            } else if record.tag & PublishedRecords.Mark.late != 0 {
                add(.outOfOrder, event, ["it stands at offset \(record.offset), behind a later event's record"])
            }
            try compare(event, record)
            if !isCaused { count += 1 }
            try records.advance()
        }
        var letter = letters[event.offset]
        if letter != nil { report.deadLetters += 1 }
        // A change of the tables may make a question too large whose event was published.
        if caused != nil, count > 0, letter?.code == "too-large" { letter = nil }
        if let letter {
            if letter.count > 1 { add(.doubled, event, ["\(letter.count) dead letters are there of it"]) }
            if count > 0 {
                add(.wrong, event, ["it is published, and there is a dead letter of it (\(letter.code))"])
            } else {
                try judge(letter, event)
            }
        }
        if count == 0, letter == nil { suspect(event) }
        if letter == nil, isSampled(event.key) { latest?.note(event) }
    }

    /// Takes an event in a second pass over the events: its question's last record must hold all changes of the tables
    /// that the group has committed.
    mutating func judgeLatest(_ event: ConsumedMessage) throws {
        guard let latest, let record = latest.record(toJudge: event) else { return }
        let now = Provenance(
            partition: place.partition, offset: event.offset, answers: latest.committed.answers,
            votes: latest.committed.votes)
        var isSame = false
        let outcome = try remake.remake(event, from: now, comparedWith: nil) { output in
            isSame = KeyDigest.of(output.value, time: nil) == record.digest
            return true
        }
        switch outcome {
        case .enriched where isSame: break
        case .enriched:
            add(
                .stale, event,
                [
                    "its last record, at offset \(record.output) of its output partition, was made with the tables up "
                        + "to answer \(record.from.answers) and vote \(record.from.votes)",
                    "changes up to answer \(now.answers) and vote \(now.votes) are committed, and with them it has "
                        + "other bytes",
                ])
        // The question has grown too large since, which a dead letter tells.
        case .refused: break
        case .tablesGone: report.add(.tablesGone)
        }
    }

    private mutating func compare(_ event: ConsumedMessage, _ record: SortedRecord) throws {
        guard record.tag & PublishedRecords.Mark.valueless == 0, let origin = Origin(of: record) else { return }
        if origin.isCaused, let caused { return try caused.append(event, record, from: origin.from) }
        report.remade += 1
        // The record of a table change has the change's timestamp when that is later than the event's.
        let time = origin.isCaused ? event.timestamp : record.timestamp
        let outcome = try remake.remake(
            event, from: origin.from, comparedWith: image(of: record, origin, time),
            isSame: isSame(as: record, origin, time))
        judge(outcome, offset: event.offset, key: event.key.map(Array.init))
    }

    /// Judges the kept records of table changes, once all events were taken.
    mutating func judgeCaused() throws {
        try caused?.each { event, record in
            guard let origin = Origin(of: record) else { return }
            report.remade += 1
            let outcome = try remake.remake(
                event, from: origin.from, comparedWith: image(of: record, origin, event.timestamp),
                isSame: isSame(as: record, origin, event.timestamp))
            judge(outcome, offset: origin.from.offset, key: event.key)
        }
    }

    /// A published record's headers without the worker's own, which say what it was made from.
    private struct Origin {
        let from: Provenance
        let isCaused: Bool
        let headers: [RecordHeader]

        init?(of record: SortedRecord) {
            var headers = PackedHeaders(record.headers).headers
            guard let index = headers.lastIndex(where: { $0.name == Provenance.name }),
                let from = headers[index].value.flatMap({ Provenance($0) })
            else { return nil }
            headers.remove(at: index)
            self.from = from
            isCaused = record.tag & PublishedRecords.Mark.caused != 0
            if isCaused { headers.removeAll { $0.name == "rejoinder.cause" } }
            self.headers = headers
        }
    }

    private func image(of record: SortedRecord, _ origin: Origin, _ time: Int64?) -> () -> RecordedRecord {
        let place = place
        return {
            RecordedRecord(
                topic: place.topic, partition: place.partition, offset: record.offset, timestamp: time,
                headers: origin.headers, key: record.key.map(Array.init), value: record.value.map(Array.init))
        }
    }

    private func isSame(as record: SortedRecord, _ origin: Origin, _ time: Int64?) -> (ReplayOutput) -> Bool {
        { output in
            Self.areSame(output.value, record.value) && Self.areSame(output.key, record.key) && output.timestamp == time
                && output.headers == origin.headers
        }
    }

    private mutating func judge(_ outcome: PartitionRemake.Outcome, offset: Int64, key: [UInt8]?) {
        switch outcome {
        case .enriched(let differences) where differences.isEmpty: break
        case .enriched(let differences): add(.wrong, offset, key, differences)
        case .refused(let code): add(.wrong, offset, key, ["it is published, and should be a dead letter (\(code))"])
        case .tablesGone:
            report.remade -= 1
            report.add(.tablesGone)
        }
    }

    private mutating func judge(_ letter: Verification.Letter, _ event: ConsumedMessage) throws {
        // The code `refused` stands for a broker's decision, which remaking the record cannot confirm.
        guard isSampled(event.key), letter.code != "refused" else { return }
        switch try remake.remake(event, from: nil, comparedWith: nil, isSame: { _ in true }) {
        case .refused(let code) where code == letter.code: break
        case .refused(let code):
            add(.wrong, event, ["the dead letter says \(letter.code), and the reason is \(code)"])
        case .enriched, .tablesGone:
            add(.wrong, event, ["it is a dead letter (\(letter.code)), and can be enriched"])
        }
    }

    private static func areSame(_ left: Bytes?, _ right: Bytes?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return left.count == right.count && left.elementsEqual(right)
    }

    private mutating func add(_ fault: VerificationFault, _ event: ConsumedMessage, _ lines: [String]) {
        add(fault, event.offset, event.key.map(Array.init), lines)
    }

    private mutating func add(_ fault: VerificationFault, _ offset: Int64, _ key: [UInt8]?, _ lines: [String]) {
        report.add(
            VerificationReport.Finding(
                fault: fault, place: place, offset: offset, key: Excerpt.bytes(key), lines: lines))
    }

    // MARK: - Missing records

    private mutating func suspect(_ event: ConsumedMessage) {
        if published.takeHeaderless(key: event.key, time: event.timestamp) { return report.add(.noHeader) }
        if isTrimmed, published.firstSource.map({ event.offset < $0 }) ?? true { return report.add(.expired) }
        guard isCompacted else {
            return add(.missing, event, ["nothing is published of it, and there is no dead letter"])
        }
        suspects.append(
            Suspect(
                offset: event.offset, key: Excerpt.bytes(event.key.map(Array.init)),
                digest: KeyDigest.of(event.key, time: nil), isDeletion: event.value == nil))
    }

    var hasSuspects: Bool { suspects.contains { !$0.isDeletion } }

    /// Takes a record in a second pass over the output, to find the later records of suspects.
    mutating func takeLater(_ message: ConsumedMessage) {
        guard let from = Provenance(of: message), from.partition == place.partition else { return }
        let digest = KeyDigest.of(message.key, time: nil)
        for index in laterIndex[digest] ?? [] where from.offset > suspects[index].offset && suspects[index].later == nil
        {
            suspects[index].later = message.offset
        }
    }

    private lazy var laterIndex: [UInt64: [Int]] = Dictionary(grouping: suspects.indices) { suspects[$0].digest }

    /// Whether compaction may have removed the suspect's record. Below the offset up to which a log was cleaned no key
    /// occurs twice, so cleaning ended no later than the first repeated key. A record was compacted away only if a
    /// later record of its question lies up to there.
    private func mayBeCompacted(_ suspect: Suspect) -> Bool {
        guard let bound = published.firstRepeat else { return suspect.later != nil || suspect.isDeletion }
        if suspect.isDeletion { return suspect.offset < bound.source }
        return suspect.later.map { $0 <= bound.output } ?? false
    }

    // MARK: - The end

    private mutating func passStrays(_ records: SortedRecords, before offset: Int64) throws {
        while let record = records.head, record.rank < offset {
            report.records += 1
            report.add(.sourceGone)
            try records.advance()
        }
    }

    /// Takes the records left after the last event.
    mutating func finish(_ records: SortedRecords) throws {
        try passStrays(records, before: .max)
        for stray in published.strayLines {
            report.add(
                VerificationReport.Finding(
                    fault: .wrong, place: place, offset: stray.provenance?.offset ?? -1, key: stray.key,
                    lines: ["the record at offset \(stray.output) of its output partition: \(stray.line)"]))
        }
    }

    mutating func write(to whole: inout VerificationReport) {
        for suspect in suspects {
            if mayBeCompacted(suspect) {
                report.add(.compacted)
            } else {
                report.add(
                    VerificationReport.Finding(
                        fault: .missing, place: place, offset: suspect.offset, key: suspect.key,
                        lines: ["nothing is published of it, and there is no dead letter"]))
            }
        }
        whole.merge(report)
    }
}
