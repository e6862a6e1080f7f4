import Testing

@testable import Commands

@Suite struct HealthCommandTests {
    @Test(
        arguments: [
            ("http://127.0.0.1:9464", "127.0.0.1:9464", ""), ("http://worker-1", "worker-1:80", ""),
            ("http://[::1]:9464/", "[::1]:9464", ""), ("HTTP://a:1/b/c//", "a:1", "/b/c"),
            ("http://a:1/\r\nX: y", "a:1", "/%0D%0AX:%20y"), ("worker:9464", "worker:9464", ""),
        ])
    func addresses(url: String, text: String, path: String) throws {
        let target = try HealthCommand.Target(url: url)
        #expect(target.text == text)
        #expect(target.path == path)
    }

    @Test(
        arguments: [
            "", "https://worker", "http://", "http://worker:0", "http://worker:65536",
            "http://worker?a=b",
            "http://me@worker", "http://a b",
        ])
    func noAddresses(url: String) {
        let failure = #expect(throws: CommandFailure.self) { try HealthCommand.Target(url: url) }
        #expect(failure?.status == .usage)
    }

    @Test(arguments: [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.7", "10.0.0.7"), ("localhost", "localhost")])
    func whereTheWorkerListens(host: String, asked: String) throws {
        let settings = try SettingsReader.read(
            SettingsFlags(configFile: nil, values: [:], kafka: []),
            environment: ["REJOINDER_ADMIN_HOST": host, "REJOINDER_ADMIN_PORT": "1234"])
        let target = try HealthCommand.Target(settings)
        #expect(target.host == asked)
        #expect(target.port == 1234)
    }

    @Test func anyFreePortIsNotKnown() throws {
        let settings = try SettingsReader.read(
            SettingsFlags(configFile: nil, values: [:], kafka: []), environment: ["REJOINDER_ADMIN_PORT": "0"])
        let failure = #expect(throws: CommandFailure.self) { try HealthCommand.Target(settings) }
        #expect(failure?.status == .configuration)
        #expect(failure?.lines.first?.contains("--url") == true)
    }
}
