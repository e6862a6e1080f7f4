import Bytes
import Foundation
import KafkaClient
import Logging
import Pages
import Records
import ServiceLifecycle
import Testing

@testable import Admin
@testable import Throughput
@testable import Worker

@Suite("The dashboard")
struct DashboardTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func withServer(
        _ fixture: MonitorFixture, limits: AdminServer.Limits = .init(), questions: QuestionLookup? = nil,
        _ body: (AdminServer) async throws -> Void
    ) async throws {
        let server = try await AdminServer(
            host: "127.0.0.1", port: 0, monitor: fixture.monitor, questions: questions, limits: limits,
            logger: Self.logger)
        let running = Task { try await server.run() }
        do {
            try await body(server)
        } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        // That it comes to its end is part of each test: streams are open.
        try await running.value
    }

    private func get(_ path: String, from server: AdminServer, method: String = "GET", field: String = "X: y")
        async throws
        -> AdminClientAnswer
    {
        try await AdminTestClient.exchange(
            "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(field)\r\n\r\n", with: server.address)
    }

    private func stream(from server: AdminServer) async throws -> AdminTestClient {
        let client = try await AdminTestClient.connect(to: server.address)[0]
        try client.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return client
    }

    // MARK: - The page

    @Test("the page names only parts that are there, from here, and nothing in it needs more than its policy allows")
    func page() async throws {
        try await withServer(MonitorFixture()) { server in
            let page = try await get("/", from: server)
            #expect(page.status == 200)
            #expect(page.fields["content-type"] == "text/html; charset=utf-8")
            #expect(page.fields["x-content-type-options"] == "nosniff")
            #expect(page.fields["referrer-policy"] == "no-referrer")
            #expect(page.fields["cache-control"] == "no-store")
            let policy = try #require(page.fields["content-security-policy"])
            for directive in [
                "default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'",
                "base-uri 'none'",
            ] {
                #expect(policy.contains(directive))
            }
            #expect(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains("*"))
            let named = page.body.matches(of: /(?:src|href)="(dashboard\/[^"]+)"/).map { String($0.1) }
            #expect(named.count == 3)
            for part in named { #expect(try await get("/\(part)", from: server).status == 200) }
            #expect(!page.body.contains("<style") && !page.body.contains(" style=") && !page.body.contains(" onclick"))
            #expect(try await get("/?a=b", from: server).status == 200)
        }
    }

    @Test("scripts import only each other, and make no markup of text")
    func parts() async throws {
        try await withServer(MonitorFixture()) { server in
            for (name, part) in PageFile.parts {
                let answer = try await get("/dashboard/\(name)", from: server)
                #expect(answer.status == 200)
                #expect(answer.fields["content-type"] == part.type)
                #expect(answer.body == part.text)
                let addresses = part.text.matches(of: /https?:\/\/[^"]+/).map { String($0.0) }
                // Which is a name, not a place.
                #expect(addresses.allSatisfy { $0 == "http://www.w3.org/2000/svg" })
                guard name.hasSuffix(".js") else { continue }
                for imported in part.text.matches(of: /from "\.\/([^"]+)"/) {
                    let isThere = try await get("/dashboard/\(imported.1)", from: server).status == 200
                    #expect(isThere, "\(imported.1)")
                }
                for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                    #expect(!part.text.contains(sink), "\(name): \(sink)")
                }
            }
        }
    }

    @Test("the scripts get each activity of a lane by the name that the report gives it, and each has a colour")
    func activities() async throws {
        try await withServer(MonitorFixture()) { server in
            let script = try await get("/dashboard/activities.js", from: server)
            #expect(script.fields["content-type"] == "text/javascript; charset=utf-8")
            let drawn = script.body.matches(of: /\["(\w+)", "([\w ]+)"\]/).map { "\($0.1) \($0.2)" }
            #expect(drawn == LaneActivity.inOrderOfStep.map { "\($0.field) \($0.title)" })
        }
        for activity in LaneActivity.allCases {
            #expect(LaneActivity.inOrderOfStep.contains(activity))
            #expect(PageFile.palette.text.contains(".c-\(activity.field) { --c:"))
        }
    }

    @Test("a style uses no colour that the palette does not have")
    func colours() throws {
        func names(_ text: String, _ pattern: Regex<(Substring, Substring)>) -> Set<Substring> {
            Set(text.matches(of: pattern).map(\.1))
        }
        let styles = PageFile.parts.filter { $0.key.hasSuffix(".css") }.map(\.value.text) + [PageFile.reportStyle.text]
        for style in styles {
            let known = names(PageFile.palette.text + style, /--([\w-]+):/)
            #expect(names(style, /var\(--([\w-]+)\)/).subtracting(known) == [])
        }
    }

    @Test("each code of a dead letter stands in the script that draws it, once, and has a colour")
    func codes() throws {
        let script = try #require(PageFile.parts["main.js"]).text
        let list = try #require(script.firstMatch(of: /codes = \[(.+?)\];/)).1
        let drawn = list.matches(of: /"([a-z-]+)"/).map { String($0.1) }
        #expect(drawn.sorted() == RecordErrorCode.allCases.map(\.rawValue).sorted())
        let palette = PageFile.palette.text
        for code in RecordErrorCode.allCases { #expect(palette.contains(".c-dead-\(code.rawValue) { --c:")) }
    }

    @Test("errors may load nothing either")
    func strictErrors() async throws {
        try await withServer(MonitorFixture()) { server in
            let answer = try await get("/nothing", from: server)
            #expect(answer.status == 404)
            #expect(answer.body.contains("/questions/{id}"))
            #expect(answer.fields["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'")
        }
    }

    // MARK: - History

    @Test("the history is the monitor's, whole or what is younger, and grows")
    func history() async throws {
        let fixture = MonitorFixture()
        try await withServer(fixture) { server in
            #expect(try await get("/history", from: server).body == "[]\n")
            fixture.tick(30) { $0.totals.recordsIn += 7 }
            func lines(_ query: String = "") async throws -> [ThroughputLine] {
                let answer = try await get("/history\(query)", from: server)
                #expect(answer.fields["content-type"] == "application/json")
                let elements = try #require(JSONValue(answer.body)?.elements)
                return try elements.map { try #require(ThroughputLine($0)) }
            }
            var all = try await lines()
            #expect(all == fixture.monitor.history)
            #expect(all.map(\.recordsIn) == [70, 70, 70])
            #expect(try await lines("?after=" + all[0].time.replacing(":", with: "%3A")) == Array(all[1...]))
            #expect(try await lines("?after=" + all[2].time) == [])
            fixture.tick(10)
            all = try await lines()
            #expect(all == fixture.monitor.history)
            #expect(all.count == 4)
        }
    }

    // MARK: - Events

    @Test("an event's data is in fields of one line each")
    func framing() {
        #expect(DashboardEvents.event(nil, "{}") == "data: {}\n\n")
        #expect(DashboardEvents.event("dead-letters", "[]") == "event: dead-letters\ndata: []\n\n")
        #expect(DashboardEvents.event(nil, "a\nb\r\nc\u{2028}d") == "data: a\ndata: b\ndata: \ndata: c\u{2028}d\n\n")
    }

    @Test("a line a second, the latest at once, and dead letters when there are new ones")
    func events() async throws {
        let fixture = MonitorFixture()
        fixture.tick()
        try await withServer(fixture) { server in
            let client = try await stream(from: server)
            let latest = try #require(fixture.monitor.latest)
            let beginning = try await client.receive(until: "data: \(latest.json)\n\n")
            #expect(
                beginning.contains("content-type: text/event-stream")
                    || beginning.contains("Content-Type: text/event-stream"))
            #expect(beginning.contains("retry: 2000\n\n"))
            #expect(!beginning.contains("event: dead-letters"))
            let note = DeadLetterNote(
                code: .schema, place: TopicPartition(topic: "questions", partition: 2), offset: 9,
                message: "title \u{2028} \"<script>\"\n is missing", time: 5)
            fixture.tick { $0.deadLetters = [note] }
            let next = try await client.receive(until: "data: \(fixture.monitor.latest?.json ?? "")\n\n")
            #expect(
                next.contains(
                    "event: dead-letters\ndata: "
                        + "[{\"code\":\"schema\",\"topic\":\"questions\",\"partition\":2,\"offset\":9,"
                ))
            fixture.tick()
            let last = try await client.receive(until: "data: \(fixture.monitor.latest?.json ?? "")\n\n")
            #expect(!last.contains("event: dead-letters"))
        }
    }

    @Test("as many streams as there may be; HEAD takes no place, and one that ends leaves its own")
    func full() async throws {
        var limits = AdminServer.Limits()
        limits.streams = 2
        let fixture = MonitorFixture()
        fixture.tick()
        try await withServer(fixture, limits: limits) { server in
            for _ in 0..<3 {
                let head = try await get("/events", from: server, method: "HEAD")
                #expect(head.status == 200)
                #expect(head.body.isEmpty)
            }
            var clients = [try await stream(from: server), try await stream(from: server)]
            for client in clients { _ = try await client.receive(until: "data: ") }
            let refused = try await get("/events", from: server)
            #expect(refused.status == 503)
            #expect(refused.fields["retry-after"] != nil)
            #expect(try await get("/events", from: server, method: "HEAD").status == 503)
            clients.removeLast()
            while try await get("/events", from: server, method: "HEAD").status != 200 {
                fixture.tick()
                try await Task.sleep(for: .milliseconds(5))
            }
            _ = try await stream(from: server).receive(until: "data: ")
            withExtendedLifetime(clients) {}
        }
    }

    @Test("streams stay when all places are taken, and others are answered beside them")
    func crowded() async throws {
        var limits = AdminServer.Limits()
        limits.connections = 8
        limits.patience = .nanoseconds(0)
        limits.idle = .hours(1)
        // More than there are places: two are left for the others.
        limits.streams = 100
        let fixture = MonitorFixture()
        fixture.tick()
        try await withServer(fixture, limits: limits) { server in
            var streams: [AdminTestClient] = []
            for _ in 0..<6 {
                let client = try await stream(from: server)
                _ = try await client.receive(until: "data: ")
                streams.append(client)
            }
            #expect(try await get("/events", from: server).status == 503)
            let silent = try await AdminTestClient.connect(200, to: server.address)
            #expect(try await get("/readyz", from: server).status == 200)
            fixture.tick()
            let line = try #require(fixture.monitor.latest)
            for client in streams { _ = try await client.receive(until: "data: \(line.json)\n\n") }
            withExtendedLifetime(silent) {}
        }
    }

    @Test("a reader that does not read is sent no more than its connection takes, and then the newest")
    func slowReader() async throws {
        let fixture = MonitorFixture()
        let lags = (0..<1500).map {
            PartitionLag(place: TopicPartition(topic: String(repeating: "t", count: 100), partition: $0), records: 1)
        }
        fixture.tick { $0.lags = lags }
        try await withServer(fixture) { server in
            let client = try await stream(from: server)
            let ticks = 200
            for _ in 0..<ticks {
                fixture.tick()
                try await Task.sleep(for: .milliseconds(1))
            }
            #expect(try await get("/healthz", from: server).status == 200)
            // Its buffers are emptied now; one line waits behind them, the newest.
            let line = try #require(fixture.monitor.latest)
            let received = try await client.receive(until: "data: \(line.json)\n\n")
            #expect(received.components(separatedBy: "\ndata: ").count - 1 < ticks)
        }
    }

    // MARK: - Questions

    @Test("a question's page by its path, an odd id's by its bytes, without scripts; JSON to the byte")
    func questions() async throws {
        let report = LaneReport(lane: 0)
        report.update { $0.partitions = [0] }
        let record = Array(#"{"question":{"title":"<b>"},"answers":[],"answerCount":0}"#.utf8)
        let lookup = QuestionLookup(
            topic: "questions", partitionCount: 1, reports: [report],
            find: { id, place, _, _ in
                id == Array("a/<b>?&%".utf8) ? QuestionEvent(place: place, offset: 1, timestamp: 0, value: [1]) : nil
            }, preview: { _, _, _ in .enriched(record) })
        try await withServer(MonitorFixture(), questions: lookup) { server in
            for path in [
                "/questions/a%2F%3Cb%3E%3F%26%25", "/questions/a/%3cb%3e%3f&%25", "/questions?id=a%2F%3Cb%3E%3F%26%25",
            ] {
                let page = try await get(path, from: server, field: "Accept: text/html")
                #expect(page.status == 200)
                #expect(page.body.contains("&lt;b&gt;</h1>"))
                #expect(!page.body.contains("<b>"))
                #expect(page.fields["content-security-policy"]?.contains("default-src 'none'") == true)
                #expect(page.fields["content-security-policy"]?.contains("script-src") == false)
                let json = try await get(path, from: server, field: "Accept: application/json")
                #expect(json.status == 200)
                #expect(json.fields["content-type"] == "application/json")
                #expect(Array(json.body.utf8) == record)
            }
            #expect(try await get("/questions/other", from: server).status == 404)
            #expect(try await get("/questions/other?format=json", from: server).body.contains("\"code\":\"not-found\""))
            #expect(try await get("/questions", from: server).status == 200)
            #expect(try await get("/questions?id=", from: server).status == 400)
        }
    }
}
