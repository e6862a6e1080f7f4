import Foundation
import Logging
import Testing

@testable import Admin
@testable import AdminRequests
@testable import Throughput
@testable import Worker

@Suite("All workers of a group on one page")
struct GroupTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func withServer(
        _ fixture: MonitorFixture, peers: [GroupPeer] = [], _ body: (AdminServer) async throws -> Void
    ) async throws {
        let server = try await AdminServer(
            host: "127.0.0.1", port: 0, monitor: fixture.monitor, peers: peers, limits: .init(), logger: Self.logger)
        let running = Task { try await server.run() }
        defer { running.cancel() }
        try await body(server)
    }

    private func get(_ path: String, from server: AdminServer) async throws -> AdminClientAnswer {
        try await AdminTestClient.exchange(
            "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n", with: server.address)
    }

    private static func peer(_ address: AdminAddress) -> GroupPeer { GroupPeer(host: address.host, port: address.port) }

    @Test("a peer's line beside one's own, and a peer that does not answer")
    func survey() async throws {
        let own = MonitorFixture()
        var names = WorkerNames.test
        names.worker = "w-2"
        let other = MonitorFixture(names: names)
        own.tick()
        other.tick()
        let (listener, silent) = try AdminTestClient.silentListener()
        close(listener)
        try await withServer(other) { peer in
            let peers = [Self.peer(peer.address), Self.peer(silent)]
            try await withServer(own, peers: peers) { server in
                let page = try await get("/group", from: server)
                #expect(page.status == 200)
                #expect(page.fields["content-security-policy"]?.contains("default-src 'none'") == true)
                #expect(page.body.contains("2 workers of 3"))
                #expect(page.body.contains("http://\(peer.address)"))
                #expect(page.body.contains("refused"))
                #expect(!page.body.contains("admin.peers"))
                let json = try await get("/group?format=json", from: server)
                let workers = try #require(
                    (JSONSerialization.jsonObject(with: Data(json.body.utf8)) as? [String: Any])?["workers"]
                        as? [[String: Any]])
                #expect(workers.map { $0["url"] as? String } == [nil, "http://\(peer.address)", "http://\(silent)"])
                #expect((workers[1]["line"] as? [String: Any])?["worker"] as? String == other.monitor.latest?.worker)
                // In its own list this worker is not shown twice.
                try await withServer(own, peers: [Self.peer(server.address)]) { again in
                    let alone = try await get("/group", from: again)
                    #expect(alone.body.contains("1 worker of 1,"))
                }
                #expect((workers[2]["error"] as? String)?.contains("refused") == true)
            }
        }
    }

    @Test("before the first line there is none, and without peers the page says how to name them")
    func alone() async throws {
        let fixture = MonitorFixture()
        try await withServer(fixture) { server in
            #expect(try await get("/now", from: server).status == 503)
            #expect(try await get("/group", from: server).body.contains("has just started"))
            fixture.tick()
            let now = try await get("/now", from: server)
            #expect(now.status == 200)
            #expect(ThroughputLine(json: now.body) == fixture.monitor.latest)
            #expect(try await get("/group", from: server).body.contains("admin.peers"))
        }
    }

    @Test("text of other workers is no markup")
    func markup() throws {
        let fixture = MonitorFixture()
        fixture.tick()
        var line = try #require(fixture.monitor.latest)
        line.worker = "<script>alert(1)</script>"
        line.verdict?.line = "<b>\"&"
        let page = GroupPage(
            members: [
                GroupMember(url: nil, answer: .line(line)),
                GroupMember(url: "http://a\"><script>", answer: .none(reason: "<script>")),
            ], hasPeers: true
        ).html
        #expect(!page.contains("<script"))
        #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    }
}
