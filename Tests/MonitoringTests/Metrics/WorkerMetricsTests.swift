import Foundation
import KafkaClient
import Logging
import Records
import Testing

@testable import Admin
@testable import Throughput
@testable import Worker

@Suite("The metrics of a worker")
struct WorkerMetricsTests {
    private static let names = WorkerNames(
        version: "1.2.3", group: "a \"group\"", worker: "w-1", delivery: "exactly-once",
        topics: TopicNames(
            questions: "q", answers: "a", votes: "v", enriched: "q.enriched", deadLetter: "q.dead-letter"))

    private func metrics(_ reports: LaneReport...) -> WorkerMetrics {
        WorkerMetrics(names: Self.names, librdkafka: "2.0.2", reports: reports)
    }

    @Test("before anything has happened every counter is there, at 0: a first increase can be seen")
    func zeros() {
        let samples = Samples(metrics(LaneReport(lane: 0)).scrape())
        for code in RecordErrorCode.allCases {
            #expect(samples["rejoinder_dead_letters_total{code=\"\(code.rawValue)\"}"] == 0)
        }
        for topic in ["q", "a", "v"] { #expect(samples["rejoinder_records_consumed_total{topic=\"\(topic)\"}"] == 0) }
        for topic in ["q.enriched", "q.dead-letter"] {
            #expect(samples["rejoinder_records_published_total{topic=\"\(topic)\"}"] == 0)
        }
        #expect(samples["rejoinder_commits_total"] == 0)
        #expect(samples["rejoinder_step_seconds_count"] == 0)
        #expect(
            samples["rejoinder_build_info{librdkafka=\"2.0.2\",version=\"1.2.3\"}"] == 1)
        #expect(
            samples["rejoinder_worker_info{delivery=\"exactly-once\",group=\"a \\\"group\\\"\",worker=\"w-1\"}"] == 1)
        #expect(samples["rejoinder_last_commit_timestamp_seconds{lane=\"0\"}"] == nil)
    }

    @Test("each family is described, has a unit at its end where it has one, and counts where it says so")
    func conventions() {
        let definitions = WorkerMetric.all
        #expect(Set(definitions.map(\.name)).count == definitions.count)
        for definition in definitions {
            #expect(definition.name == MetricText.metricName(definition.name))
            #expect(definition.name.hasSuffix("_total") == (definition.kind == .counter), "\(definition.name)")
            #expect(definition.help.hasSuffix("."), "\(definition.name)")
            if case .histogram(let bounds) = definition.kind {
                #expect(bounds == bounds.sorted() && Set(bounds).count == bounds.count)
                #expect(definition.name.hasSuffix("_seconds"))
            }
        }
    }

    @Test("totals of all lanes, exact at each scrape")
    func totals() {
        let lanes = [LaneReport(lane: 0), LaneReport(lane: 1)]
        let metrics = metrics(lanes[0], lanes[1])
        lanes[0].update { content in
            content.totals.recordsIn = 10
            content.totals.bytesIn = 1000
            content.totals.recordsOut = 8
            content.totals.bytesOut = 4000
            content.totals.deadLetters[.schema] = 2
            content.totals.tableAnswers = 5
            content.totals.answersRead = 6
            content.totals.answerBytesRead = 600
            content.totals.commits = 1
        }
        lanes[1].update { content in
            content.totals.recordsIn = 7
            content.totals.tableVotes = 6
            content.totals.votesRead = 7
            content.totals.voteBytesRead = 70
            content.totals.answersAttached = 9
            content.totals.answersOmitted = 3
            content.totals.questionsWithoutAnswers = 2
            content.totals.aborts = 4
            content.totals.rebalances = 5
        }
        var samples = Samples(metrics.scrape())
        #expect(samples["rejoinder_records_consumed_total{topic=\"q\"}"] == 17)
        #expect(samples["rejoinder_consumed_bytes_total{topic=\"q\"}"] == 1000)
        #expect(samples["rejoinder_records_consumed_total{topic=\"a\"}"] == 6)
        #expect(samples["rejoinder_consumed_bytes_total{topic=\"a\"}"] == 600)
        #expect(samples["rejoinder_records_consumed_total{topic=\"v\"}"] == 7)
        #expect(samples["rejoinder_consumed_bytes_total{topic=\"v\"}"] == 70)
        #expect(samples["rejoinder_records_published_total{topic=\"q.enriched\"}"] == 8)
        #expect(samples["rejoinder_records_published_total{topic=\"q.dead-letter\"}"] == 2)
        #expect(samples["rejoinder_published_bytes_total{topic=\"q.enriched\"}"] == 4000)
        #expect(samples["rejoinder_table_records_applied_total{table=\"answers\"}"] == 5)
        #expect(samples["rejoinder_table_records_applied_total{table=\"votes\"}"] == 6)
        #expect(samples["rejoinder_dead_letters_total{code=\"schema\"}"] == 2)
        #expect(samples["rejoinder_answers_attached_total"] == 9)
        #expect(samples["rejoinder_answers_omitted_total"] == 3)
        #expect(samples["rejoinder_questions_without_answers_total"] == 2)
        #expect(samples["rejoinder_commits_total"] == 1)
        #expect(samples["rejoinder_aborts_total"] == 4)
        #expect(samples["rejoinder_rebalances_total"] == 5)
        // Counts that were taken before are not counted again; new ones are.
        lanes[1].update { $0.totals.recordsIn += 1 }
        samples = Samples(metrics.scrape())
        #expect(samples["rejoinder_records_consumed_total{topic=\"q\"}"] == 18)
        #expect(samples["rejoinder_commits_total"] == 1)
    }

    @Test("where a lane's time went, in seconds")
    func times() {
        let lane = LaneReport(lane: 3)
        let metrics = metrics(lane)
        for round in 1...2 {
            lane.update { content in
                content.turned = .now
                for activity in LaneActivity.allCases {
                    content.times[activity] = Int64(round * (activity.rawValue + 1)) * 500_000_000
                }
            }
            let samples = Samples(metrics.scrape())
            for activity in LaneActivity.allCases {
                let key = "rejoinder_lane_time_seconds_total{activity=\"\(activity.label)\",lane=\"3\"}"
                #expect(samples[key] == Double(round * (activity.rawValue + 1)) / 2)
            }
        }
    }

    @Test("partitions that were handed back are gone, with all that was said of them")
    func partitionsVanish() {
        let lane = LaneReport(lane: 0)
        let metrics = metrics(lane)
        func own(_ partitions: [Int32]) {
            lane.update { content in
                content.partitions = partitions
                content.restoring = partitions.filter { $0 > 1 }
                content.lags = partitions.map { .init(place: TopicPartition(topic: "q", partition: $0), records: 5) }
                content.stores = partitions.map { .init(partition: $0, bytes: 4096, answers: 3, votes: 2) }
                content.restores = partitions.filter { $0 > 1 }.map {
                    .init(partition: $0, done: 10, of: $0 == 2 ? nil : 100, since: .now - .seconds(60))
                }
            }
        }
        own([0, 1, 2, 3])
        let now = Date.now.timeIntervalSince1970
        var samples = Samples(metrics.scrape())
        #expect(samples["rejoinder_partitions_assigned"] == 4)
        #expect(samples["rejoinder_partitions_restoring"] == 2)
        #expect(samples["rejoinder_consumer_lag{partition=\"3\",topic=\"q\"}"] == 5)
        #expect(samples["rejoinder_store_bytes{partition=\"3\"}"] == 4096)
        #expect(samples["rejoinder_store_rows{kind=\"answers\",partition=\"3\"}"] == 3)
        #expect(samples["rejoinder_store_rows{kind=\"votes\",partition=\"3\"}"] == 2)
        #expect(samples["rejoinder_restore_records_done{partition=\"3\"}"] == 10)
        #expect(samples["rejoinder_restore_records{partition=\"3\"}"] == 100)
        // Not known yet.
        #expect(samples["rejoinder_restore_records{partition=\"2\"}"] == nil)
        let began = samples["rejoinder_restore_start_timestamp_seconds{partition=\"2\"}"] ?? 0
        #expect(abs(now - 60 - began) < 30)
        own([1])
        samples = Samples(metrics.scrape())
        #expect(samples["rejoinder_partitions_assigned"] == 1)
        #expect(samples["rejoinder_partitions_restoring"] == 0)
        let left = samples.names.filter { $0.contains("partition=") }
        #expect(left.count == 4)
        #expect(left.allSatisfy { $0.contains("partition=\"1\"") })
    }

    @Test("what a lane waits for, since when it turned, when it committed")
    func waiting() {
        let lane = LaneReport(lane: 0)
        let metrics = metrics(lane)
        func waiting(_ samples: Samples) -> [String: Double] {
            samples.values.filter { $0.key.hasPrefix("rejoinder_lane_waiting_seconds") && $0.value > 0 }
        }
        #expect(waiting(Samples(metrics.scrape())).isEmpty)
        lane.update {
            $0.wait = LaneWait(reason: .producerQueue, since: .now - .seconds(40))
            $0.committed = .now - .seconds(50)
            $0.turned = .now - .seconds(30)
        }
        let now = Date.now.timeIntervalSince1970
        let samples = Samples(metrics.scrape())
        let found = waiting(samples)
        #expect(Array(found.keys) == ["rejoinder_lane_waiting_seconds{lane=\"0\",reason=\"producer_queue\"}"])
        #expect((40..<70).contains(found.values.first ?? 0))
        #expect(abs((samples["rejoinder_last_commit_timestamp_seconds{lane=\"0\"}"] ?? 0) - (now - 50)) < 20)
        #expect(abs((samples["rejoinder_lane_last_turn_timestamp_seconds{lane=\"0\"}"] ?? 0) - (now - 30)) < 20)
        #expect(
            samples.names.count { $0.hasPrefix("rejoinder_lane_waiting_seconds") } == LaneWait.Reason.allCases.count)
        lane.update { $0.wait = nil }
        #expect(waiting(Samples(metrics.scrape())).isEmpty)
    }

    @Test("durations of all lanes; what was taken once is counted once")
    func durations() {
        let lanes = [LaneReport(lane: 0), LaneReport(lane: 1)]
        let metrics = metrics(lanes[0], lanes[1])
        lanes[0].update { content in
            content.steps.record(2_000)
            content.latency.record(30_000, count: 7)
            content.commitLatency.record(20_000)
        }
        lanes[1].update { content in
            content.steps.record(2_000_000)
            content.eventLatency.record(3_600_000_000, count: 2)
        }
        // Durations that have not been taken from the lanes yet wait, so that none is counted in two ways.
        #expect(Samples(metrics.scrape())["rejoinder_step_seconds_count"] == 0)
        for _ in 0..<2 {
            metrics.add(lanes.map { $0.take() })
            let samples = Samples(metrics.scrape())
            #expect(samples["rejoinder_step_seconds_count"] == 2)
            #expect(samples["rejoinder_step_seconds_bucket{le=\"0.0025\"}"] == 1)
            #expect(samples["rejoinder_record_latency_seconds_bucket{le=\"0.025\"}"] == 0)
            #expect(samples["rejoinder_record_latency_seconds_bucket{le=\"0.05\"}"] == 7)
            #expect(abs((samples["rejoinder_record_latency_seconds_sum"] ?? 0) - 0.21) < 0.01)
            #expect(samples["rejoinder_commit_seconds_count"] == 1)
            #expect(samples["rejoinder_event_latency_seconds_bucket{le=\"900\"}"] == 0)
            #expect(samples["rejoinder_event_latency_seconds_bucket{le=\"+Inf\"}"] == 2)
        }
    }

    @Test("the process itself")
    func process() {
        let metrics = metrics(LaneReport(lane: 0))
        let before = Samples(metrics.scrape())
        let after = Samples(metrics.scrape())
        #expect((before["process_resident_memory_bytes"] ?? 0) > 1_000_000)
        #expect((before["process_cpu_seconds_total"] ?? 0) > 0)
        #expect((after["process_cpu_seconds_total"] ?? 0) >= (before["process_cpu_seconds_total"] ?? 1))
        let began = before["process_start_time_seconds"] ?? 0
        #expect(began <= Date.now.timeIntervalSince1970 && began > Date.now.timeIntervalSince1970 - 86_400)
        #expect(after["process_start_time_seconds"] == began)
    }

    @Test("scrapes at once while lanes work: no counter ever goes back")
    func monotonic() async {
        let lane = LaneReport(lane: 0)
        let metrics = metrics(lane)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for count in 1...2000 { lane.update { $0.totals.recordsIn = count } }
            }
            for _ in 0..<4 {
                tasks.addTask {
                    var last = 0.0
                    for _ in 0..<50 {
                        let now = Samples(metrics.scrape())["rejoinder_records_consumed_total{topic=\"q\"}"] ?? -1
                        #expect(now >= last)
                        last = now
                    }
                }
            }
        }
        #expect(Samples(metrics.scrape())["rejoinder_records_consumed_total{topic=\"q\"}"] == 2000)
    }

    @Test("as the admin server answers it")
    func answered() async throws {
        let lane = LaneReport(lane: 0)
        let server = try await AdminServer(
            host: "127.0.0.1", port: 0,
            monitor: Monitor(names: Self.names, reports: [lane], options: MonitorOptions(interval: .seconds(10))),
            metrics: metrics(lane),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { try await server.run() }
        let answer = try await AdminTestClient.exchange(
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", with: server.address)
        #expect(answer.status == 200)
        #expect(answer.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(answer.fields["content-length"] == "\(answer.body.utf8.count)")
        #expect(answer.body.hasSuffix("\n"))
        #expect(Samples(answer.body)["rejoinder_commits_total"] == 0)
        running.cancel()
        try await running.value
    }
}

/// An exposition's lines by the text before their numbers. A line that is none counts as a failure.
private struct Samples {
    private(set) var values: [String: Double] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                Issue.record("no sample: \(line)")
                continue
            }
            let name = String(line[..<space])
            #expect(values.updateValue(value, forKey: name) == nil, "\(name) stands twice")
        }
    }

    var names: [String] { Array(values.keys) }
    subscript(name: String) -> Double? { values[name] }
}
