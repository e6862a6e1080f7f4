import Logging
import Synchronization
import Testing

@testable import KafkaClient

@Suite("Lines of librdkafka about one cause")
struct LogBoundTests {
    @Test("one is written and the rest counted, whichever client and attempt they are of")
    func bounded() {
        let bound = LogBound()
        let start = ContinuousClock.now
        func line(_ client: Int, _ broker: Int, _ milliseconds: Int) -> String {
            "rejoinder-1-\(client)#consumer-\(client): 127.0.0.1:909\(broker)/\(broker): Connect to "
                + "ipv4#127.0.0.1:909\(broker) failed: Connection refused (after \(milliseconds)ms in state CONNECT)"
        }
        #expect(bound.admit("FAIL", line(1, 2, 3), at: start) == 0)
        for attempt in 1...50 {
            #expect(bound.admit("FAIL", line(attempt % 4, 3, attempt), at: start + .milliseconds(attempt * 100)) == nil)
        }
        #expect(bound.admit("FAIL", "disconnected (after 65010ms in state UP)", at: start) == 0, "another cause")
        #expect(bound.admit("FAIL", line(1, 2, 3), at: start + .seconds(31)) == 50)
    }

    @Test("lines of the lanes: one for each message and cause, with the number of those left out")
    func lanes() {
        let written = Written()
        let logger = Logger(label: "lane") { _ in written.handler }
        let bound = LogBound()
        let start = ContinuousClock.now
        for attempt in 0..<300 {
            let now = start + .milliseconds(attempt * 200)
            bound.warn(
                logger, "transaction aborted", cause: "committing: Local: Timed out after \(attempt) ms",
                metadata: ["bytes": "\(attempt)"], at: now)
            bound.warn(logger, "producer renewed", cause: "committing: Local: Timed out after 9 ms", at: now)
        }
        let both = ["transaction aborted", "producer renewed"]
        #expect(written.all.map(\.message) == both + both)
        #expect(written.all.map { $0.metadata["unlogged"] } == [nil, nil, "149", "149"])
        #expect(written.all[2].metadata["cause"] == "committing: Local: Timed out after 150 ms")
        #expect(written.all[2].metadata["bytes"] == "150")
    }

    /// Lines that were logged.
    private final class Written: Sendable {
        private let lines = Mutex<[(message: String, metadata: [String: String])]>([])

        var all: [(message: String, metadata: [String: String])] { lines.withLock { $0 } }
        var handler: any LogHandler { Handler(written: self) }

        private struct Handler: LogHandler {
            let written: Written
            var metadata: Logger.Metadata = [:]
            var logLevel: Logger.Level = .trace

            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }

            func log(event: Logging.LogEvent) {
                let line = ("\(event.message)", (event.metadata ?? [:]).mapValues(\.description))
                written.lines.withLock { $0.append(line) }
            }
        }
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
