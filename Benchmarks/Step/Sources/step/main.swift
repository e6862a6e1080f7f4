import AnswerStore
import Bytes
import Enrichment
import Workload

// Runs each part of the step on a workload that is always the same. Callgrind counts in the functions whose names begin
// with `part`, and writes its counts down whenever `endOfPart` returns: see Benchmarks/instructions. With `time` it
// takes times instead: see Timing.swift.

@inline(never)
func partApplyAnswers(_ fixture: StepFixture) throws { try fixture.apply(answers: fixture.answers) }

@inline(never)
func partApplyVotes(_ fixture: StepFixture) throws { try fixture.apply(votes: fixture.votes) }

@inline(never)
func partRead(_ fixture: StepFixture) throws {
    try fixture.questions.each { key, value in _ = try fixture.reader.readQuestion(key: key, value: value) }
}

@inline(never)
func partLookup(_ fixture: StepFixture) throws {
    try fixture.questions.each { key, _ in try fixture.store.lookup(question: key, into: fixture.looked) }
}

@inline(never)
func partRender(_ fixture: StepFixture, _ value: Bytes) -> Int {
    guard
        case .record(let bytes, _, _) = fixture.enricher.render(
            question: value, answers: fixture.looked, limit: 1_000_000)
    else { return 0 }
    return bytes.count
}

/// All three, as a lane has them done: for questions that come for the first time, or that come again.
@inline(never)
func partEnrich(_ fixture: StepFixture, with processor: EventProcessor) throws -> Int {
    var length = 0
    try fixture.questions.eachGathered(ahead: EventProcessor.ahead) { step in
        switch step {
        case .begin: processor.expectNothing()
        case .expect(let key): processor.expect(key, store: fixture.store)
        case .process(let key, let value):
            if case .enriched(let bytes, _, _) = try processor.process(
                key: key, value: value, store: fixture.store, limit: 1_000_000)
            {
                length += bytes.count
            }
        }
    }
    return length
}

/// As ``partEnrich(_:with:)``, and the store keeps the events of each batch.
@inline(never)
func partEnrichAndKeep(_ fixture: StepFixture, with processor: EventProcessor) throws -> Int {
    var length = 0
    try fixture.questions.eachGathered(ahead: EventProcessor.ahead) { step in
        switch step {
        case .begin:
            processor.expectNothing()
            try fixture.applyKept()
        case .expect(let key): processor.expect(key, store: fixture.store)
        case .process(let key, let value):
            if case .enriched(let bytes, _, _) = try processor.process(
                key: key, value: value, store: fixture.store, limit: 1_000_000)
            {
                length += bytes.count
            }
            fixture.keep(key, value)
        }
    }
    try fixture.applyKept()
    return length
}

/// - Parameter records: how many records the part was done for.
@inline(never)
func endOfPart(_ name: StaticString, records: Int) { print(name, records) }

// In a function: Swift checks each access to a global variable.
func run() throws {
    var plan = WorkloadPlan()
    plan.questions = 2_000
    plan.answersPerQuestion = 1...5
    plan.votes = 12_000
    plan.events = 4_000
    let path = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "state"
    let fixture = try StepFixture(plan, path: path)
    try partApplyAnswers(fixture)
    endOfPart("apply-answer", records: fixture.answers.count)
    try partApplyVotes(fixture)
    endOfPart("apply-vote", records: fixture.votes.count)
    // The buffers that grow to the largest record grow here, uncounted: a worker runs for months.
    try fixture.questions.each { key, value in
        for processor in [fixture.processor, fixture.rememberingProcessor] {
            _ = try processor.process(key: key, value: value, store: fixture.store, limit: 1_000_000)
        }
        try fixture.store.lookup(question: key, into: fixture.looked)
        _ = fixture.enricher.render(question: value, answers: fixture.looked, limit: 1_000_000)
    }
    try partRead(fixture)
    endOfPart("read", records: fixture.questions.count)
    try partLookup(fixture)
    endOfPart("lookup", records: fixture.questions.count)
    var rendered = 0
    try fixture.questions.each { key, value in
        try fixture.store.lookup(question: key, into: fixture.looked)
        rendered += partRender(fixture, value)
    }
    endOfPart("render", records: fixture.questions.count)
    let enriched = try partEnrich(fixture, with: fixture.processor)
    endOfPart("enrich", records: fixture.questions.count)
    let again = try partEnrich(fixture, with: fixture.rememberingProcessor)
    endOfPart("enrich-again", records: fixture.questions.count)
    guard rendered == enriched, again == enriched else {
        fatalError("the parts made \(rendered) bytes, the whole \(enriched) and \(again)")
    }
}

if CommandLine.arguments.dropFirst().first == "time" {
    try time(Array(CommandLine.arguments.dropFirst(2)))
} else {
    try run()
}
