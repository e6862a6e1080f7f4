import Foundation
import Logging
import Testing

@testable import Admin
@testable import AdminRequests
@testable import Throughput
@testable import Worker

@Suite("Asking the admin server")
struct AdminProbeTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func get(_ path: String, at address: AdminAddress, patience: Duration = .seconds(30)) async throws
        -> AdminProbe.Answer
    {
        try await AdminTestClient.onThread {
            try AdminProbe.get(host: address.host, port: address.port, path: path, patience: patience)
        }
    }

    @Test("status and body of a real server")
    func answers() async throws {
        let report = LaneReport(lane: 0)
        report.update {
            $0.restoring = [7]
            $0.turned = .now + .seconds(600)
        }
        let monitor = Monitor(names: .test, reports: [report], options: MonitorOptions(interval: .seconds(10)))
        let server = try await AdminServer(host: "127.0.0.1", port: 0, monitor: monitor, logger: Self.logger)
        let running = Task { try await server.run() }
        #expect(try await get("/healthz", at: server.address) == .init(status: 200, body: "{\"status\":\"ok\"}\n"))
        let ready = try await get("/readyz", at: server.address)
        #expect(ready.status == 503)
        #expect(ready.body.contains("[7]"))
        running.cancel()
        try await running.value
    }

    @Test("nobody there, and somebody who says nothing")
    func noAnswer() async throws {
        let (listener, address) = try AdminTestClient.silentListener()
        let silence = await #expect(throws: AdminProbe.Failure.self) {
            try await get("/readyz", at: address, patience: .milliseconds(200))
        }
        #expect(silence?.description == "no answer in time")
        close(listener)
        let nobody = await #expect(throws: AdminProbe.Failure.self) { try await get("/readyz", at: address) }
        #expect(nobody?.description.contains("refused") == true)
        await #expect(throws: AdminProbe.Failure.self) {
            try await get("/readyz", at: AdminAddress(host: "name.invalid", port: 1))
        }
    }

    @Test(
        "what is no answer",
        arguments: [
            "", "\r\n\r\n", "hello\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 99999 x\r\n\r\n", "HTTP/1.1 200 OK\r\n",
        ])
    func nonsense(text: String) {
        #expect(throws: AdminProbe.Failure.self) { try AdminProbe.answer(Array(text.utf8)) }
    }
}
