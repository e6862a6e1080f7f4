import Testing

@testable import KafkaClient

@Suite("Lines of librdkafka about one cause")
struct LogBoundTests {
    @Test("one is written and the rest counted, whichever client and attempt they are of")
    func bounded() {
        let bound = LogBound()
        let start = ContinuousClock.now
        func line(_ client: Int, _ broker: Int, _ milliseconds: Int) -> String {
            "rejoinder-1-\(client)#consumer-\(client): 127.0.0.1:909\(broker)/\(broker): Connect to ipv4#127.0.0.1:909\(broker) "
                + "failed: Connection refused (after \(milliseconds)ms in state CONNECT)"
        }
        #expect(bound.admit("FAIL", line(1, 2, 3), at: start) == 0)
        for attempt in 1...50 {
            #expect(bound.admit("FAIL", line(attempt % 4, 3, attempt), at: start + .milliseconds(attempt * 100)) == nil)
        }
        #expect(bound.admit("FAIL", "disconnected (after 65010ms in state UP)", at: start) == 0, "another cause")
        #expect(bound.admit("FAIL", line(1, 2, 3), at: start + .seconds(31)) == 50)
    }

    @Test("what it remembers is bounded")
    func causes() {
        let bound = LogBound()
        let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)
        for first in letters {
            for second in letters { _ = bound.admit("FAIL", first + second) }
        }
        #expect(bound.admit("FAIL", "one more") != nil)
    }
}
