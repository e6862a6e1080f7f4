import Foundation
import Logging
import ServiceLifecycle
import Testing

@testable import Admin
@testable import AdminRequests
@testable import Throughput
@testable import Worker

@Suite("The admin server")
struct AdminServerTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func monitor(_ reports: [LaneReport]) -> Monitor {
        Monitor(names: .test, reports: reports, options: MonitorOptions(interval: .seconds(10)))
    }

    /// Runs a server while `body` does, in a group of services as the program does, and ends it gracefully.
    private func withServer(
        _ reports: [LaneReport], host: String = "127.0.0.1", limits: AdminServer.Limits = .init(),
        _ body: (AdminServer) async throws -> Void
    ) async throws {
        let server = try await AdminServer(
            host: host, port: 0, monitor: Self.monitor(reports), limits: limits, logger: Self.logger)
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: server), .init(service: server.stopNotice)], logger: Self.logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body(server)
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func lane(_ number: Int = 0, _ change: (inout LaneReport.Content) -> Void = { _ in }) -> LaneReport {
        let report = LaneReport(lane: number)
        // Other tests may hold this one up for longer than a lane may stand still.
        report.update {
            $0.turned = .now + .seconds(600)
            $0.hasBeenAssigned = true
        }
        report.update(change)
        return report
    }

    private func get(_ path: String, from server: AdminServer) async throws -> (
        answer: AdminClientAnswer, json: [String: Any]
    ) {
        let answer = try await AdminTestClient.exchange(
            "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n", with: server.address)
        let json = try #require(JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any])
        return (answer, json)
    }

    // MARK: - Health

    @Test("lanes that turn and have nothing to restore, with partitions or without: well and ready")
    func well() async throws {
        try await withServer([lane(0) { $0.partitions = [0, 1] }, lane(1)]) { server in
            let live = try await get("/healthz", from: server)
            #expect(live.answer.status == 200)
            #expect(live.answer.body == "{\"status\":\"ok\"}\n")
            #expect(live.answer.fields["content-type"] == "application/json")
            #expect(live.answer.fields["cache-control"] == "no-store")
            #expect(live.answer.fields["connection"] == "close")
            #expect(live.answer.fields["content-length"] == "\(live.answer.body.utf8.count)")
            let ready = try await get("/readyz?verbose=1", from: server)
            #expect(ready.answer.status == 200)
            #expect(ready.answer.body == "{\"status\":\"ready\"}\n")
        }
    }

    @Test("a lane that restores: not ready, though well; ready when it is done")
    func restoring() async throws {
        let reports = [lane(0) { $0.restoring = [5] }, lane(1) { $0.restoring = [3, 1] }]
        try await withServer(reports) { server in
            #expect(try await get("/healthz", from: server).answer.status == 200)
            let (answer, json) = try await get("/readyz", from: server)
            #expect(answer.status == 503)
            #expect(json["status"] as? String == "restoring")
            #expect(json["restoringPartitions"] as? [Int] == [1, 3, 5])
            #expect((json["message"] as? String)?.contains("3 partitions are") == true)
            for report in reports { report.update { $0.restoring = [] } }
            #expect(try await get("/readyz", from: server).answer.status == 200)
        }
    }

    @Test("a lane that does not turn: neither well nor ready, and which lane since when")
    func stalled() async throws {
        let (turned, turnedAt) = (ContinuousClock.now - .seconds(75), Date.now - 75)
        let stuck = lane(1) { $0.turned = turned }
        try await withServer([lane(0) { $0.restoring = [2] }, stuck]) { server in
            let (answer, json) = try await get("/healthz", from: server)
            #expect(answer.status == 503)
            #expect(json["status"] as? String == "stalled")
            let lanes = try #require(json["stalledLanes"] as? [[String: Any]])
            #expect(lanes.count == 1)
            #expect(lanes.first?["lane"] as? Int == 1)
            #expect((lanes.first?["seconds"] as? Int ?? 0) >= 75)
            let since = try #require(try? Date(lanes.first?["since"] as? String ?? "", strategy: .iso8601))
            // Told to the second.
            #expect(abs(since.timeIntervalSince(turnedAt)) < 3)
            let ready = try await get("/readyz", from: server)
            #expect(ready.answer.status == 503)
            #expect(ready.json["status"] as? String == "stalled")
            #expect(ready.json["restoringPartitions"] as? [Int] == [2])
            // A lane at work may take its time.
            stuck.update { $0.turned = .now - .seconds(2) }
            #expect(try await get("/healthz", from: server).answer.status == 200)
        }
    }

    @Test("a worker to which the group has not given its partitions yet: well, and not ready")
    func joining() async throws {
        let reports = [lane(0), lane(1) { $0.hasBeenAssigned = false }]
        try await withServer(reports) { server in
            #expect(try await get("/healthz", from: server).answer.status == 200)
            let (answer, json) = try await get("/readyz", from: server)
            #expect(answer.status == 503)
            #expect(json["status"] as? String == "joining")
            #expect((json["message"] as? String)?.contains("lane 1 yet") == true)
            // Its part may be none.
            reports[1].update { $0.hasBeenAssigned = true }
            #expect(try await get("/readyz", from: server).answer.status == 200)
        }
    }

    @Test("a lane that turns and commits nothing though it has work: well, and not ready, and what it waits for")
    func uncommitted() throws {
        let fixture = MonitorFixture(lanes: 2, interval: 3600, commitLimit: .seconds(10))
        fixture.tick {
            $0.hasBeenAssigned = true
            $0.totals.commits += 1
        }
        fixture.reports[1].update {
            $0.uncommittedSince = fixture.now.instant
            $0.wait = LaneWait(reason: .coordinator, since: fixture.now.instant, cause: "timed out")
        }
        fixture.tick(9)
        #expect(AdminHealth.ready(fixture.monitor, isStopping: false).status == .ready)
        fixture.tick()
        let health = AdminHealth.ready(fixture.monitor, isStopping: false)
        #expect(health.status == .stalled)
        #expect(health.message?.contains("lane 1 committed nothing") == true)
        #expect(health.message?.contains("the transaction coordinator") == true)
        #expect(health.stalledLanes?.map(\.lane) == [1])
        #expect(health.stalledLanes?.first?.seconds == 10)
        #expect(health.stalledLanes?.first?.cause == "timed out")
        #expect(AdminHealth.live(fixture.monitor).status == .ok)
        fixture.tick {
            $0.totals.commits += 1
            $0.uncommittedSince = nil
            $0.wait = nil
        }
        #expect(AdminHealth.ready(fixture.monitor, isStopping: false).status == .ready)
    }

    @Test("a worker that was told to stop is not ready, and still well")
    func stopping() {
        let health = AdminHealth.ready(Self.monitor([lane { $0.restoring = [4] }]), isStopping: true)
        #expect(health.status == .stopping)
        #expect(health.restoringPartitions == [4])
        #expect(health.response.status == .serviceUnavailable)
    }

    @Test("from the shutdown's beginning to the lanes' end it answers, and says that it stops")
    func answersWhileLanesEnd() async throws {
        let server = try await AdminServer(
            host: "127.0.0.1", port: 0, monitor: Self.monitor([lane()]), logger: Self.logger)
        let worker = SlowToStop()
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: server),
                    .init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup),
                    .init(service: server.stopNotice),
                ], logger: Self.logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            #expect(try await get("/readyz", from: server).answer.status == 200)
            await group.triggerGracefulShutdown()
            for await _ in worker.toldToStop { break }
            let (answer, json) = try await get("/readyz", from: server)
            #expect(answer.status == 503)
            #expect(json["status"] as? String == "stopping")
            #expect(try await get("/healthz", from: server).answer.status == 200)
            worker.mayEnd.finish()
            try await tasks.waitForAll()
        }
    }

    // MARK: - HTTP

    @Test("only GET and HEAD", arguments: ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
    func methodNotAllowed(method: String) async throws {
        try await withServer([lane()]) { server in
            let answer = try await AdminTestClient.exchange(
                "\(method) /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
                with: server.address)
            #expect(answer.status == 405)
            #expect(answer.fields["allow"] == "GET, HEAD")
            #expect(answer.body.contains("only GET and HEAD"))
        }
    }

    @Test(
        "on loopback it answers to names of this host, and to none that a web page may have",
        arguments: [
            ("localhost", true), ("localhost:80", true), ("LocalHost.", true), ("127.0.0.1:9464", true),
            ("127.1.2.3", true), ("[::1]:9464", true), ("[::1]", true), ("[::FFFF:127.0.0.1]", true),
            ("example.org", false), ("example.org:9464", false), ("localhost.example.org", false),
            ("x.localhost", false),
            ("127.0.0.1.example.org", false), ("10.0.0.7:9464", false), ("0.0.0.0", false), ("[::]", false),
            ("[::1", false), ("[localhost]", false), ("[::1]x", false), ("::1", false), ("localhost:9464x", false),
            ("me@localhost", false), ("", false),
        ])
    func hosts(host: String, isAnswered: Bool) async throws {
        try await withServer([lane()]) { server in
            for (method, path) in [("GET", "/healthz"), ("GET", "/"), ("POST", "/nowhere")]
            where path != "/" || !isAnswered {
                let answer = try await AdminTestClient.exchange(
                    "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n", with: server.address)
                if isAnswered {
                    #expect(answer.status == (method == "GET" ? 200 : 405))
                } else {
                    #expect(answer.status == 421)
                    #expect(answer.body.contains("http://127.0.0.1:\(server.address.port)"))
                    #expect(answer.fields["content-type"] == "application/json")
                    #expect(answer.fields["cache-control"] == "no-store")
                }
            }
        }
    }

    @Test("a request without a Host comes from no browser")
    func noHost() async throws {
        try await withServer([lane()]) { server in
            let answer = try await AdminTestClient.exchange("GET /healthz HTTP/1.0\r\n\r\n", with: server.address)
            #expect(answer.status == 200)
        }
    }

    @Test("elsewhere it answers to any name", arguments: ["worker-1:9464", "10.0.0.7", "localhost"])
    func anyHostElsewhere(host: String) async throws {
        try await withServer([lane()], host: "0.0.0.0") { server in
            let answer = try await AdminTestClient.exchange(
                "GET /healthz HTTP/1.1\r\nHost: \(host)\r\n\r\n", with: server.address)
            #expect(answer.status == 200)
        }
    }

    @Test("the name that it was told to listen at is one of this host's")
    func configuredName() {
        let rule = AdminHostRule(configured: "Worker-1")
        #expect(rule.answers(to: "worker-1:9464"))
        #expect(!rule.answers(to: "worker-2:9464"))
    }

    @Test("what asks workers says how one that does not answer to the name is asked")
    func probesOfAnotherName() async throws {
        try await withServer([lane()]) { server in
            let address = server.address
            // The request's Host is the name that was asked for, wherever that leads.
            let refused = AdminProbe.request(host: "worker-1", port: address.port, path: "/events", accept: "*/*")
            let answer = try await AdminTestClient.exchange(String(decoding: refused, as: UTF8.self), with: address)
            #expect(answer.status == 421)
            let own = AdminProbe.request(host: address.host, port: address.port, path: "/readyz", accept: "*/*")
            #expect(
                try await AdminTestClient.exchange(String(decoding: own, as: UTF8.self), with: address).status == 200)
        }
    }

    @Test("HEAD: as GET, without the body")
    func head() async throws {
        try await withServer([lane { $0.restoring = [0] }]) { server in
            let get = try await get("/readyz", from: server).answer
            let head = try await AdminTestClient.exchange(
                "HEAD /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n", with: server.address)
            #expect(head.status == 503)
            // The second may have passed.
            #expect(head.fields.filter { $0.key != "date" } == get.fields.filter { $0.key != "date" })
            #expect(head.body.isEmpty)
        }
    }

    @Test(
        "what is not there", arguments: ["/healthz/x", "/../healthz", "//", "/dashboard", "/dashboard/x", "/<script>"])
    func notFound(path: String) async throws {
        try await withServer([lane()]) { server in
            let (answer, json) = try await get(path, from: server)
            #expect(answer.status == 404)
            #expect((json["error"] as? String)?.contains("/healthz") == true)
            #expect(!answer.body.contains("script"))
        }
    }

    @Test(
        "what is no request, and one that is too long",
        arguments: [
            "x\r\n\r\n", "GET  \r\n\r\n", "GET /healthz SMTP/1.1\r\n\r\n", "\u{0}\u{1}\u{2}\n\n",
            "GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 1000) + "\r\n",
            "GET / HTTP/1.1\r\nX: " + String(repeating: "y", count: 20_000) + "\r\n\r\n",
        ])
    func refused(request: String) async throws {
        try await withServer([lane()]) { server in
            let refusal = try await AdminTestClient.exchange(request, with: server.address)
            #expect(refusal.status == 400)
            let answer = try await get("/healthz", from: server).answer
            #expect(answer.status == 200)
        }
    }

    @Test("many at once, each with its answer")
    func manyAtOnce() async throws {
        try await withServer([lane()]) { server in
            let address = server.address
            let statuses = try await withThrowingTaskGroup(of: Int.self, returning: [Int].self) { tasks in
                for _ in 0..<300 {
                    tasks.addTask {
                        try await AdminTestClient.exchange(
                            "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", with: address
                        ).status
                    }
                }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 200, count: 300))
        }
    }

    // MARK: - Clients that do not behave

    @Test("more silent connections than there may be: the oldest go, and whoever asks is answered")
    func silentConnections() async throws {
        var limits = AdminServer.Limits()
        limits.connections = 8
        limits.patience = .nanoseconds(0)
        // Longer than the test may take: it is not time that ends them.
        limits.idle = .hours(1)
        try await withServer([lane()], limits: limits) { server in
            let silent = try await AdminTestClient.connect(200, to: server.address)
            for client in silent.prefix(100) { try client.send("GET /hea") }
            #expect(try await get("/readyz", from: server).answer.status == 200)
            // All were taken in before the one that was answered, so all but seven had to go.
            for client in silent.prefix(193) { #expect(try await client.answer().status == 0) }
            withExtendedLifetime(silent) {}
        }
    }

    @Test("a request that does not come to its end in time ends with its connection, however steadily it drips")
    func slowRequest() async throws {
        var limits = AdminServer.Limits()
        limits.idle = .milliseconds(300)
        try await withServer([lane()], limits: limits) { server in
            let client = try await AdminTestClient.connect(to: server.address)[0]
            let drip = Task {
                for byte in "GET /healthz HTTP/1.1\r\n" + String(repeating: "X", count: 10_000) {
                    try client.send(String(byte))
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            #expect(try await client.answer().status == 0)
            drip.cancel()
            _ = await drip.result
        }
    }

    @Test("a client that neither asks again nor hangs up is let go")
    func noGoodbye() async throws {
        var limits = AdminServer.Limits()
        // Long enough for the next client's request on a machine that is slow to schedule its thread.
        limits.idle = .seconds(2)
        limits.connections = 1
        // It is not the next client that ends it.
        limits.patience = .hours(1)
        try await withServer([lane()], limits: limits) { server in
            let mute = try await AdminTestClient.connect(to: server.address)[0]
            try mute.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await get("/healthz", from: server).answer.status == 200)
            withExtendedLifetime(mute) {}
        }
    }

    @Test("a client that is gone before its answer")
    func gone() async throws {
        try await withServer([lane()]) { server in
            for _ in 0..<50 {
                let client = try await AdminTestClient.connect(to: server.address)[0]
                try client.send("GET /healthz HTTP/1.1\r\n\r\n")
                client.resetOnClose()
            }
            #expect(try await get("/healthz", from: server).answer.status == 200)
        }
    }

    // MARK: - Beginning and end

    @Test("ends at once with connections open, and leaves the port")
    func endsWithConnectionsOpen() async throws {
        var limits = AdminServer.Limits()
        limits.idle = .hours(1)
        limits.patience = .hours(1)
        var open: [AdminTestClient] = []
        var address: AdminAddress?
        try await withServer([lane()], limits: limits) { server in
            open = try await AdminTestClient.connect(20, to: server.address)
            try open[0].send("GET /")
            try open[1].send("POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx")
            // Asks and asks, and reads no answer: Hummingbird itself would wait for it.
            let asks = String(repeating: "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 100)
            try await AdminTestClient.onThread { [greedy = open[2]] in try greedy.sendAsMuchAsIsTaken(asks) }
            #expect(try await get("/healthz", from: server).answer.status == 200)
            address = server.address
        }
        // That this is reached is the point: nothing of the above waits less than an hour by itself.
        for client in open.dropFirst(3) { #expect(try await client.answer().status == 0) }
        let port = Int(try #require(address).port)
        try await end(
            try await AdminServer(host: "127.0.0.1", port: port, monitor: Self.monitor([]), logger: Self.logger))
    }

    @Test("a port in use: one sentence with the address and what to do")
    func portInUse() async throws {
        try await withServer([]) { first in
            let port = Int(first.address.port)
            let error = await #expect(throws: WorkerError.self) {
                try await AdminServer(host: "127.0.0.1", port: port, monitor: Self.monitor([]), logger: Self.logger)
            }
            #expect(error?.matter == .configuration)
            #expect(error?.message.contains("127.0.0.1:\(port): another process") == true)
            #expect(error?.message.contains("admin.port") == true)
        }
    }

    @Test("hosts that cannot be listened on", arguments: ["192.0.2.1", "no such host", "300.1.1.1", "name.invalid"])
    func impossibleHost(host: String) async {
        let error = await #expect(throws: WorkerError.self) {
            try await AdminServer(host: host, port: 0, monitor: Self.monitor([]), logger: Self.logger)
        }
        #expect(error?.matter == .configuration)
        #expect(error?.message.contains(host) == true)
        #expect(error?.message.contains("admin.host") == true)
    }

    @Test("the real address is known, whatever was asked for", arguments: ["127.0.0.1", "localhost", "0.0.0.0"])
    func realAddress(host: String) async throws {
        let server = try await AdminServer(host: host, port: 0, monitor: Self.monitor([]), logger: Self.logger)
        #expect(server.address.port > 0)
        #expect(AdminAddress(host: "::1", port: 1).description == "[::1]:1")
        try await end(server)
    }

    private func end(_ server: AdminServer) async throws {
        let running = Task { try await server.run() }
        running.cancel()
        try await running.value
    }
}

/// Stands for the lanes: ends only when it may.
private final class SlowToStop: Service {
    private let told = AsyncStream.makeStream(of: Void.self)
    private let end = AsyncStream.makeStream(of: Void.self)

    var toldToStop: AsyncStream<Void> { told.stream }
    var mayEnd: AsyncStream<Void>.Continuation { end.continuation }

    func run() async throws {
        await withGracefulShutdownHandler {
            for await _ in end.stream {}
        } onGracefulShutdown: {
            self.told.continuation.yield()
        }
    }
}
