import Foundation
import KafkaClient
import Recording
import TestSupport
import Testing

@testable import Commands

/// `rejoinder record` as a process: the files that it leaves behind after each way to end.
@Suite struct RecordProgramTests {
    private let broker: EmbeddedBroker
    private let directory: TemporaryDirectory

    init() throws {
        broker = try EmbeddedBroker()
        try broker.createTopic("questions", partitions: 2)
        directory = try TemporaryDirectory()
    }

    private func produce(_ count: Int) throws {
        let producer = try Producer(
            properties: KafkaProperties(["bootstrap.servers": broker.bootstrapServers]), transactionalID: nil,
            logger: .silent)
        defer { producer.close(timeout: .seconds(1)) }
        let topic = try producer.topic("questions")
        var random = SystemRandomNumberGenerator()
        for index in 0..<count {
            let value = (0..<100).map { _ in String(random.next(), radix: 16) }.joined()
            try producer.produce(value, key: "k", to: topic, partition: Int32(index % 2))
        }
        try producer.flush(timeout: .seconds(30))
    }

    /// Starts `rejoinder record --follow` behind shell commands; standard error goes to `errors`.
    private func follow(_ file: String, behind commands: String) throws -> Process {
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("rejoinder").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "\(commands) exec \"$0\" \"$@\"", program, "record", "--follow", "--topics", "questions", "-o", file,
            "--bootstrap-servers", broker.bootstrapServers,
        ]
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("REJOINDER_") }
        process.currentDirectoryURL = URL(fileURLWithPath: directory.path)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try FileHandle(
            forWritingTo: URL(fileURLWithPath: try directory.file("errors", Data())))
        try process.run()
        return process
    }

    private var errors: String {
        (try? String(contentsOfFile: directory.path + "/errors", encoding: .utf8)) ?? "nothing was said"
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0 != "errors" } }
    }

    private func size(_ name: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: directory.path + "/" + name)
        return attributes?[.size] as? Int ?? 0
    }

    /// Waits until something is in the file that is being written.
    private func waitForContent() throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try names.allSatisfy({ size($0) == 0 }) {
            try #require(ContinuousClock.now < deadline, "nothing was written within a minute")
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    @Test("the disk is full: what was written before is there under the file's name, and the status says so")
    func fullDisk() throws {
        try produce(400)
        // Some hundred kilobytes may be written; without the trap the signal would end the process.
        let process = try follow("r.jsonl", behind: "trap '' XFSZ; ulimit -f 256;")
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 70, "\(errors)")
        #expect(try names == ["r.jsonl"])
        let text = try String(contentsOfFile: directory.path + "/r.jsonl", encoding: .utf8)
        // The first line announces a manifest, for which there was no room.
        let lines = text.split(separator: "\n").dropFirst()
        #expect(!text.contains("\"manifest\":{"))
        #expect(!lines.isEmpty && lines.allSatisfy { $0.hasSuffix("}") } && text.hasSuffix("\n"))
        #expect(errors.contains("\(lines.count) of the "), "\(errors)")
    }

    @Test("killed with -9, a packed file can be read up to a second before")
    func killed() throws {
        try produce(50)
        let process = try follow("r.jsonl.zst", behind: "")
        try waitForContent()
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let partial = try #require(try names.first)
        #expect(partial.hasSuffix(".partial.zst"))
        #expect(size(partial) > 10_000)
    }

    @Test("a terminal that is closed ends it as SIGTERM does: the file is finished")
    func hangUp() throws {
        try produce(50)
        let process = try follow("r.jsonl.gz", behind: "")
        try waitForContent()
        kill(process.processIdentifier, SIGHUP)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(errors)")
        #expect(try names == ["r.jsonl.gz"])
        #expect(errors.contains(" records ("))
        let reader = try RecordingReader(path: directory.path + "/r.jsonl.gz")
        while try reader.advance() {}
        #expect(reader.warnings == [])
    }
}
