import Foundation
import Testing

@testable import Worker

@Suite("The last resort of a stop", .timeLimit(.minutes(1)))
struct StopDeadlineTests {
    @Test("a stop whose lanes do not end is ended after the limit, once")
    func late() async throws {
        let ended = AsyncStream<Void>.makeStream()
        let deadline = StopDeadline(limit: .milliseconds(50))
        deadline.begin { ended.continuation.yield() }
        var iterator = ended.stream.makeAsyncIterator()
        #expect(await iterator.next() != nil)
        deadline.cancel()
    }

    @Test("a cancelled deadline ends nothing")
    func cancelled() async throws {
        let ended = AsyncStream<Void>.makeStream()
        let deadline = StopDeadline(limit: .milliseconds(100))
        deadline.begin { ended.continuation.yield() }
        deadline.cancel()
        try await Task.sleep(for: .milliseconds(300))
        ended.continuation.finish()
        var iterator = ended.stream.makeAsyncIterator()
        #expect(await iterator.next() == nil)
    }
}
