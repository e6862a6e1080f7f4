import Testing

@testable import Worker

@Suite("The rest between two transactions")
struct MarkerRestTests {
    @Test("grows while the coordinator refuses, up to a bound, and shrinks when it does not")
    func length() {
        var rest = MarkerRest()
        let now = ContinuousClock.now
        rest.committed(requests: 2, hasRecords: true, now: now)
        #expect(rest.left(now: now) == nil, "a coordinator that does not refuse is not waited for")
        rest.committed(requests: 3, hasRecords: true, now: now)
        rest.committed(requests: 2, hasRecords: false, now: now)
        #expect(rest.left(now: now) == 2)
        #expect(rest.left(now: now + .microseconds(1500)) == 1)
        #expect(rest.left(now: now + .milliseconds(2)) == nil)
        for _ in 0..<100 { rest.committed(requests: 4, hasRecords: true, now: now) }
        #expect(rest.length == MarkerRest.longest)
        for _ in 0..<1000 { rest.committed(requests: 2, hasRecords: true, now: now) }
        #expect(rest.length == .zero && rest.left(now: now) == nil)
    }

    @Test("one refusal among many accepted ones costs little")
    func settles() {
        var rest = MarkerRest()
        for _ in 0..<3 { rest.committed(requests: 3, hasRecords: true) }
        for number in 0..<2000 { rest.committed(requests: number % 60 == 0 ? 3 : 2, hasRecords: true) }
        #expect(rest.length <= .milliseconds(4))
    }
}
