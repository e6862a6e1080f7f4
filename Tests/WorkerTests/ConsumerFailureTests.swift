import Logging
import Testing

@testable import KafkaClient
@testable import Worker

@Suite struct ConsumerFailureTests {
    private static let passing = KafkaError(.init(-195), operation: "fetching", reason: "connection reset")
    private static let unauthorized = KafkaError(.init(29), operation: "fetching")
    private static let fatal = KafkaError(.init(-195), operation: "fetching", reason: "fatal", isFatal: true)

    private func settle(_ errors: [KafkaError]) -> WorkerError? {
        var failure = ConsumerFailure()
        for error in errors { failure.note(error) }
        defer { #expect(failure.error == nil) }
        do throws(LaneFault) {
            try failure.settle(reading: "tables", Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        } catch {
            if case .fatal(let end) = error { return end }
            Issue.record("\(error)")
        }
        return nil
    }

    @Test func aPassingErrorPasses() {
        #expect(settle([]) == nil)
        #expect(settle([Self.passing, Self.passing]) == nil)
    }

    @Test("an error that ends the worker is not lost among those that pass, before it or after it")
    func theEndIsKept() {
        for end in [Self.unauthorized, Self.fatal] {
            #expect(settle([end, Self.passing]) != nil)
            #expect(settle([Self.passing, end]) != nil)
            #expect(settle([Self.passing, end, Self.passing]) != nil)
        }
        #expect(settle([Self.unauthorized, Self.fatal])?.matter == .configuration)
    }

    @Test("the loss of the place in the group ends nothing: the lane joins again")
    func aLostPlace() {
        let fenced = KafkaError(.init(82), operation: "polling", isFatal: true)
        for errors in [[fenced, Self.passing], [Self.passing, fenced]] {
            var failure = ConsumerFailure()
            for error in errors { failure.note(error) }
            #expect {
                try failure.settle(reading: "questions", Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            } throws: { error in
                guard case .evicted(let cause)? = error as? LaneFault else { return false }
                return cause.name == "FENCED_INSTANCE_ID"
            }
        }
    }

    @Test func onlyTheLastMinuteCounts() {
        var losses = Recurrence()
        let start = ContinuousClock.now
        for second in [0, 1, 30, 59] { losses.note(now: start + .seconds(second)) }
        #expect(losses.count == 4)
        losses.note(now: start + .seconds(61))
        #expect(losses.count == 3)
    }
}
