import Foundation
import KafkaClient
import TestSupport
import Testing
import Worker

@testable import Recording

/// The published records are the model's, so that nothing here is judged by the code that made it.
@Suite(.enabled(if: RealCluster.isAvailable, Comment(rawValue: RealCluster.reason)), .timeLimit(.minutes(5)))
struct VerificationTests {
    private static let names = ["questions", "answers", "votes", "live", "dead"]

    private func configuration(_ site: ClusterSite) -> WorkerConfiguration {
        WorkerConfiguration(
            kafkaProperties: site.cluster.properties, groupID: RealCluster.uniqueName("group"),
            topics: TopicNames(
                questions: site["questions"], answers: site["answers"], votes: site["votes"], enriched: site["live"],
                deadLetter: site["dead"]))
    }

    private func verify(
        _ site: ClusterSite, from: WindowBound = .beginning, sample: Double = 1,
        _ change: (inout WorkerConfiguration) -> Void = { _ in }
    ) throws -> VerificationReport {
        var configuration = configuration(site)
        change(&configuration)
        var options = Verification.Options(configuration: configuration, window: try Window(from: from))
        options.sample = sample
        return try Verification(options: options, stop: StopSignal(), logger: .silent).run { _ in }
    }

    /// The records that a worker would have published, in the order of its partitions, and their inputs.
    private func published(_ site: ClusterSite, seed: UInt64) throws -> [RecordedRecord] {
        let scenario = WindowReplayTests.Scenario(site, seed: seed, isOrdered: true)
        try site.publish(scenario.tables + scenario.questions)
        return scenario.questions.map { question in
            let seen = scenario.entries.filter {
                $0.partition == question.partition && $0.time <= question.timestamp ?? 0
            }
            let from = Provenance(
                partition: question.partition, offset: question.offset, answers: Int64(seen.count { !$0.isVote }),
                votes: Int64(seen.count { $0.isVote }))
            var record = question
            record.topic = site["live"]
            record.value = Array(scenario.expected(question, asOf: question.timestamp).utf8)
            record.headers.append(RecordHeader(Provenance.name, from.text))
            return record
        }
    }

    enum Damage: String, CaseIterable, Sendable {
        case dropped, doubledAtOnce, doubledLater, swapped, byte, key, header, timestamp, provenance, misplaced, foreign

        func apply(_ records: inout [RecordedRecord], at index: Int) {
            let record = records[index]
            // The next of its partition.
            let next = records[(index + 1)...].firstIndex { $0.partition == record.partition } ?? index
            switch self {
            case .dropped: records.remove(at: index)
            case .doubledAtOnce: records.insert(record, at: index)
            case .doubledLater: records.insert(record, at: next + 1)
            case .swapped: records.swapAt(index, next)
            case .byte: records[index].value?[(record.value?.count ?? 0) / 2] ^= 1
            case .key: records[index].key = Array("another".utf8)
            case .header: records[index].headers.insert(RecordHeader("more", "x"), at: 0)
            case .timestamp: records[index].timestamp = (record.timestamp ?? 0) + 1
            case .provenance: records[index].headers[record.headers.count - 1].value = Array("1 2 x".utf8)
            case .misplaced: records[index].partition = 1 - record.partition
            case .foreign:
                records[index].headers[record.headers.count - 1].value = Array("\(record.partition) 99999 0 0".utf8)
            }
        }

        var faults: Set<VerificationFault> {
            switch self {
            case .dropped, .foreign: [.missing]
            case .doubledAtOnce, .doubledLater: [.doubled]
            case .swapped: [.outOfOrder]
            case .byte, .key, .header, .timestamp: [.wrong]
            case .provenance, .misplaced: [.wrong, .missing]
            }
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func whatIsRightIsFoundRight(seed: UInt64) throws {
        try ClusterSite.with(Self.names) { site in
            let records = try published(site, seed: seed)
            try site.publish(records)
            let report = try verify(site)
            #expect(report.isClean(), "\(report.findings.prefix(3))")
            #expect(report.events == records.count && report.records == records.count)
            #expect(report.remade == records.count && report.unjudged.isEmpty)

            let sampled = try verify(site, sample: 0.3)
            #expect(sampled.isClean() && sampled.records == records.count)
            #expect(sampled.remade < records.count && sampled.tableRecords < report.tableRecords)
        }
    }

    @Test(arguments: Damage.allCases)
    func damageIsFound(_ damage: Damage) throws {
        try ClusterSite.with(Self.names) { site in
            var records = try published(site, seed: 3)
            let damaged = records[records.count / 2]
            damage.apply(&records, at: records.count / 2)
            try site.publish(records)
            let report = try verify(site)
            #expect(!report.isClean())
            #expect(Set(VerificationFault.allCases.filter { report[$0] > 0 }) == damage.faults, "\(report.findings)")
            #expect(VerificationFault.allCases.allSatisfy { report[$0] <= 1 })
            if damage != .provenance, damage != .swapped {
                #expect(
                    report.findings.allSatisfy {
                        $0.offset == damaged.offset && $0.place.partition == damaged.partition
                            || damage == .misplaced
                    })
            }
            let xml = report.junit(suite: "verify")
            #expect(xml.contains("failures=\"\(damage.faults.count)\""))
        }
    }

    @Test func aWindowAndWhatTheGroupHasNotPassed() throws {
        try ClusterSite.with(Self.names) { site in
            let records = try published(site, seed: 4)
            // The last event of each partition is still to be worked on.
            let last = (0..<2).compactMap { number in records.last { $0.partition == number } }
            try site.publish(records.filter { !last.contains($0) })
            let group = RealCluster.uniqueName("group")
            let consumer = try GroupConsumer(
                properties: site.cluster.properties.overlaid(by: KafkaProperties(["group.id": group])), logger: .silent)
            try consumer.commit(
                Dictionary(
                    uniqueKeysWithValues: last.map {
                        (TopicPartition(topic: site["questions"], partition: $0.partition), $0.offset)
                    }), timeout: .seconds(20))
            consumer.close(timeout: .seconds(5))
            let report = try verify(site) { $0.groupID = group }
            #expect(report.isClean() && report.events == records.count - last.count, "\(report.findings.prefix(3))")
            let half = try verify(site, from: .time(WindowReplayTests.start + 4500)) { $0.groupID = group }
            #expect(half.isClean() && half.events > 0 && half.events < report.events)
        }
    }

    @Test func recordsWithoutTheHeaderAreNotJudged() throws {
        try ClusterSite.with(Self.names) { site in
            var records = try published(site, seed: 5)
            for index in records.indices { records[index].headers.removeLast() }
            try site.publish(records)
            let report = try verify(site)
            #expect(report.isClean() && report[.noHeader] == records.count && report.remade == 0)
        }
    }

    /// A compacted topic may lack records that a later one has replaced; one without a later one is missing there, too.
    @Test func compactionIsNoLoss() throws {
        let settings = ["live": ["retention.ms": "-1", "cleanup.policy": "compact"]]
        try ClusterSite.with(Self.names, settings: settings) { site in
            let all = try published(site, seed: 6)
            var kept: [RecordedRecord] = []
            for (index, record) in all.enumerated()
            where !all[(index + 1)...].contains(where: { $0.key == record.key }) { kept.append(record) }
            try site.publish(kept)
            let report = try verify(site)
            #expect(report.isClean(), "\(report.findings.prefix(3))")
            #expect(report[.compacted] == all.count - kept.count && report.remade == kept.count)
        }
        try ClusterSite.with(Self.names, settings: settings) { site in
            var records = try published(site, seed: 6)
            // Keys come back before and after it: no cleaning has been here.
            records.remove(at: records.count / 2)
            try site.publish(records)
            let report = try verify(site)
            #expect(report[.missing] == 1 && report[.compacted] == 0)
        }
    }
}
