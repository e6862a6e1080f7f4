import AnswerStore
import Benchmark
import Enrichment
import Foundation
import Workload

// Each iteration goes through all of a workload's records, and the figures are per record (throughput: records a
// second).

/// Fixtures in directories that are removed with the process; `benchmark` runs each benchmark in a process of its own.
private func makeFixture(_ change: (inout WorkloadPlan) -> Void = { _ in }) throws -> StepFixture {
    var plan = WorkloadPlan()
    plan.questions = 5_000
    plan.votes = 30_000
    plan.events = 20_000
    change(&plan)
    let path = NSTemporaryDirectory() + "rejoinder-micro-\(UUID().uuidString)"
    let fixture = try StepFixture(plan, path: path)
    // The files live on until the store is closed.
    try FileManager.default.removeItem(atPath: path)
    return fixture
}

private func filled(_ change: (inout WorkloadPlan) -> Void = { _ in }) throws -> StepFixture {
    let fixture = try makeFixture(change)
    try fixture.apply(answers: fixture.answers)
    try fixture.apply(votes: fixture.votes)
    return fixture
}

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .cpuTotal, .throughput], warmupIterations: 3, scalingFactor: .one,
        maxDuration: .seconds(3), maxIterations: 200)

    Benchmark("read and check a question event, x20000") { benchmark in
        let fixture = try makeFixture()
        benchmark.startMeasurement()
        try fixture.questions.each { key, value in
            blackHole(try fixture.reader.readQuestion(key: key, value: value))
        }
    }

    Benchmark("lookup, random, x20000") { benchmark in
        let fixture = try filled()
        benchmark.startMeasurement()
        try fixture.questions.each { key, _ in try fixture.store.lookup(question: key, into: fixture.looked) }
    }

    Benchmark("lookup, hot (Zipf), x20000") { benchmark in
        let fixture = try filled { $0.skew = .zipf(exponent: 1) }
        benchmark.startMeasurement()
        try fixture.questions.each { key, _ in try fixture.store.lookup(question: key, into: fixture.looked) }
    }

    Benchmark("lookup and render, x20000") { benchmark in
        let fixture = try filled()
        benchmark.startMeasurement()
        try fixture.questions.each { key, value in
            try fixture.store.lookup(question: key, into: fixture.looked)
            blackHole(fixture.enricher.render(question: value, answers: fixture.looked, limit: 1_000_000))
        }
    }

    Benchmark("render, x20000") { benchmark in
        let fixture = try filled()
        var key: [UInt8] = []
        fixture.questions.each { first, _ in if key.isEmpty { key = Array(first) } }
        try key.withUnsafeBytes { try fixture.store.lookup(question: $0, into: fixture.looked) }
        benchmark.startMeasurement()
        fixture.questions.each { _, value in
            blackHole(fixture.enricher.render(question: value, answers: fixture.looked, limit: 1_000_000))
        }
    }

    Benchmark("enrich: read, look up, render, x20000") { benchmark in
        let fixture = try filled()
        benchmark.startMeasurement()
        try fixture.questions.each { key, value in
            blackHole(try fixture.processor.process(key: key, value: value, store: fixture.store, limit: 1_000_000))
        }
    }

    Benchmark("enrich questions that come again, x20000") { benchmark in
        let fixture = try filled()
        func enrich() throws {
            try fixture.questions.each { key, value in
                blackHole(
                    try fixture.rememberingProcessor.process(
                        key: key, value: value, store: fixture.store, limit: 1_000_000))
            }
        }
        try enrich()
        benchmark.startMeasurement()
        try enrich()
    }

    Benchmark("apply an answer, x15000") { benchmark in
        let fixture = try makeFixture()
        benchmark.startMeasurement()
        try fixture.apply(answers: fixture.answers)
    }

    Benchmark("apply a vote, x30000") { benchmark in
        let fixture = try makeFixture()
        try fixture.apply(answers: fixture.answers)
        benchmark.startMeasurement()
        try fixture.apply(votes: fixture.votes)
    }
}
