import AnswerStore
import Dispatch
import Enrichment
import Foundation
import Workload

/// `step time state=DIRECTORY [workload=w1] [scale=1] [seed=1] [threads=1] [answersPerQuestion=0-50] [answerBytes=N]
/// [eventBytes=N]`: prints a JSON object of nanoseconds per question event. With several threads each has tables, store
/// and events of its own, as lanes have, and all work at once.
///
/// Times are those of the thread's processor time, but for `events_per_second`, which is by the clock on the wall.
func time(_ arguments: [String]) throws {
    var options: [String: String] = [:]
    for argument in arguments {
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw UsageError(text: "\(argument) is not of the form name=value") }
        options[parts[0]] = parts[1]
    }
    guard let state = options.removeValue(forKey: "state") else {
        throw UsageError(text: "state=DIRECTORY is missing")
    }
    let threads = try takeNumber("threads", from: &options) ?? 1
    let plan = try takePlan(from: &options)
    guard options.isEmpty else { throw UsageError(text: "unknown: \(options.keys.sorted().joined(separator: ", "))") }

    nonisolated(unsafe) let timings = try (0..<threads).map { thread in
        var plan = plan.scaled(by: 1 / Double(threads))
        plan.seed += UInt64(thread)
        return try StepTiming(plan, path: "\(state)-\(thread)", renderedBytes: StepTiming.renderedBytes / threads)
    }
    // Each thread's first round fills its caches.
    for timing in timings + timings { try timing.run() }
    let began = Monotonic.nanoseconds
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
        do {
            try timings[thread].run()
        } catch {
            FileHandle.standardError.write(Data("step: timing the events: \(error)\n".utf8))
            exit(1)
        }
    }
    let seconds = Double(Monotonic.nanoseconds - began) / 1e9
    let events = timings.reduce(0) { $0 + $1.fixture.questions.count }
    var figures = ["events_per_second": Double(events) / seconds]
    figures["step_ns"] = timings.reduce(0) { $0 + $1.nanoseconds } / Double(threads)
    if threads == 1 { figures.merge(try timings[0].parts()) { first, _ in first } }
    print(String(decoding: try JSONSerialization.data(withJSONObject: figures, options: .sortedKeys), as: UTF8.self))
}

struct UsageError: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}

/// The step on the events of one plan, timed.
final class StepTiming {
    /// The memory for rendered answers of a worker with one lane and the default memory budget.
    static let renderedBytes = 70 << 20

    let fixture: StepFixture
    private let processor: EventProcessor
    /// Of the last run, per event.
    private(set) var nanoseconds = 0.0

    init(_ plan: WorkloadPlan, path: String, renderedBytes: Int) throws {
        fixture = try StepFixture(plan, path: path)
        processor = EventProcessor(renderedBytes: renderedBytes)
        try fixture.apply(answers: fixture.answers)
        try fixture.apply(votes: fixture.votes)
    }

    func run() throws {
        nanoseconds = try timed { _ = try partEnrich(fixture, with: processor) }
    }

    /// Each part alone, and the whole where nothing is kept.
    func parts() throws -> [String: Double] {
        try [
            "read_ns": timed { try partRead(fixture) },
            "lookup_ns": timed { try partLookup(fixture) },
            "step_nothing_kept_ns": timed { _ = try partEnrich(fixture, with: fixture.processor) },
            "step_following_ns": following(),
        ]
    }

    /// As ``run()``, where published records follow changes: the store writes each event, too. A round before fills its
    /// table.
    private func following() throws -> Double {
        _ = try partEnrichAndKeep(fixture, with: processor)
        return try timed { _ = try partEnrichAndKeep(fixture, with: processor) }
    }

    private func timed(_ body: () throws -> Void) rethrows -> Double {
        let began = threadNanoseconds
        try body()
        return Double(threadNanoseconds - began) / Double(fixture.questions.count)
    }

    private var threadNanoseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}

private func takePlan(from options: inout [String: String]) throws -> WorkloadPlan {
    let name = options.removeValue(forKey: "workload") ?? "w1"
    guard let preset = WorkloadPreset(rawValue: name) else { throw UsageError(text: "there is no workload \(name)") }
    var plan = preset.plan
    if let scale = try takeNumber("scale", from: &options, Double.init) { plan = plan.scaled(by: scale) }
    if let seed = try takeNumber("seed", from: &options) { plan.seed = UInt64(seed) }
    if let bytes = try takeNumber("answerBytes", from: &options) { plan.answerBytes = bytes }
    if let bytes = try takeNumber("eventBytes", from: &options) { plan.eventBytes = bytes }
    if let range = options.removeValue(forKey: "answersPerQuestion") {
        let ends = range.split(separator: "-").compactMap { Int($0) }
        guard let first = ends.first, let last = ends.last, first <= last else {
            throw UsageError(text: "answersPerQuestion=\(range) is no range such as 0-50")
        }
        plan.answersPerQuestion = first...last
    }
    return plan
}

private func takeNumber(_ name: String, from options: inout [String: String]) throws -> Int? {
    try takeNumber(name, from: &options) { Int($0) }
}

private func takeNumber<Number: Comparable & ExpressibleByIntegerLiteral>(
    _ name: String, from options: inout [String: String], _ read: (String) -> Number?
) throws -> Number? {
    guard let text = options.removeValue(forKey: name) else { return nil }
    guard let number = read(text), number > 0 else { throw UsageError(text: "\(name)=\(text) is no number above zero") }
    return number
}
