import Foundation
import Testing

@testable import Commands

@Suite struct SettingsFileTests {
    private func problem(_ path: String) -> String {
        do {
            let file = try SettingsFile(path: path)
            return file.problems.map(\.message).joined(separator: "\n")
        } catch {
            return error.description
        }
    }

    @Test func missingFile() throws {
        let directory = try TemporaryDirectory()
        let found = problem(directory.path + "/nowhere.yaml")
        #expect(found.contains("nowhere.yaml"))
        #expect(found.contains("No such file"))
    }

    @Test func directoryInsteadOfFile() throws {
        let directory = try TemporaryDirectory()
        #expect(problem(directory.path).contains("it is a directory"))
    }

    @Test(arguments: ["", "\n\n", "# only a comment\n", "---\n", "null"])
    func emptyFile(text: String) throws {
        let directory = try TemporaryDirectory()
        #expect(problem(try directory.file(text)).contains("it is empty"))
    }

    @Test(arguments: [
        ("lanes: [1", "line 2"), ("\tlanes: 1", "line 1"), ("lanes: 1\n  x: 2", "line 2"), ("a: *b", "line 1"),
        ("--- 1\n--- 2\n", "line"), ("lanes: \"1", "line"),
    ])
    func notYAML(text: String, place: String) throws {
        let directory = try TemporaryDirectory()
        let found = problem(try directory.file(text))
        #expect(found.contains("not YAML"), "\(found)")
        #expect(found.contains(place), "\(found)")
    }

    @Test(
        "the usual cause of a fault is told",
        arguments: [
            ("sources:\n\t- topic: t", "line 2 is not YAML", "indent with spaces, not tabs"),
            (
                "sources:\n  - where: { score: >= 3 }", "line 2 is not YAML",
                "a value that begins with @, %, `, > or | in quotes"
            ),
            ("sources:\n  - where:\n      score: > 3", "line 3 is not YAML", "put it in quotes"),
            ("sources:\n  - topic: t\n    body:text\n    into: votes", "line", "a colon and a space between them"),
            (
                "sources:\n  - where: { kind: 'answer }\n", "that begins in line 2",
                "a quote that is opened is not closed"
            ),
            ("sources:\n  - where: { kind: a\n    into: b", "that begins in line 2", "close what { opens"),
            ("sources:\n  - topic: t\n   into: votes", "line 3", "it stands among the entries of a list"),
            ("a: b: c", "line 1 is not YAML", "put a value that holds a colon in quotes"),
            ("a: *b", "line 1 is not YAML", "begins with * or & in quotes"),
        ])
    func causes(text: String, place: String, cause: String) throws {
        let directory = try TemporaryDirectory()
        let found = problem(try directory.file(text))
        #expect(found.contains(place) && found.contains(cause), "\(found)")
    }

    @Test("keys that stand twice are named with both lines")
    func linesOfDuplicateKeys() throws {
        let directory = try TemporaryDirectory()
        let found = problem(
            try directory.file(
                "sources:\n  - topic: t\n    fields:\n      id: a\n      body: b\n      'id': c\n    id: x\n"))
        #expect(found.contains("'id' stands more than once in line 4 and line 6; keep one"), "\(found)")
    }

    @Test("a source of one of the worker's topics is named with its line")
    func sourceOfOwnTopic() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file(
            "kafka:\n  bootstrapServers: a:1\nsources:\n  - topic: answers\n    format: json\n    into: answers\n"
                + "    fields: { id: a, questionId: b }\n  - topic: t\n    format: avro\n    into: answers\n"
                + "    fields: { id: a, questionId: b }\n")
        var flags = SettingsFlags()
        flags.configFile = path
        let error = #expect(throws: SettingsError.self) { try SettingsReader.read(flags, environment: [:]) }
        let problems = error?.problems.map(\.message) ?? []
        #expect(problems.contains { $0.contains("line 4 is 'answers', which is topics.answers") }, "\(problems)")
        #expect(problems.contains { $0.contains("line 8 is read as avro, which needs registry.url") }, "\(problems)")
    }

    @Test(arguments: ["just text", "- a\n- b\n", "17"])
    func notAMapping(text: String) throws {
        let directory = try TemporaryDirectory()
        #expect(problem(try directory.file(text)).contains("not a mapping"))
    }

    @Test func bytesThatAreNoText() throws {
        let directory = try TemporaryDirectory()
        #expect(problem(try directory.file("a", Data([0x6C, 0xFF, 0xFE]))).contains("UTF-8"))
        #expect(problem(try directory.file("b", Data([0x6C, 0x00, 0x3A, 0x20, 0x31]))).contains("not text"))
    }

    @Test func tooLongAFile() throws {
        let directory = try TemporaryDirectory()
        let data = Data(repeating: UInt8(ascii: "#"), count: SettingsFile.longestFile + 1)
        #expect(problem(try directory.file("a", data)).contains("longer than"))
    }

    @Test(arguments: [
        ("lanes: 1\nlanes: 2", "'lanes'", 2), ("kafka:\n  groupId: a\n  groupId: b\n", "'groupId'", 3),
        ("kafka:\n  properties:\n    linger.ms: 1\n    linger.ms: 2\n", "'linger.ms'", 4),
    ])
    func duplicateKeys(text: String, key: String, line: Int) throws {
        let directory = try TemporaryDirectory()
        let found = problem(try directory.file(text))
        #expect(found.contains("\(key) stands more than once"), "\(found)")
        #expect(found.contains("line \(line)") || found.contains("line \(line - 1)"), "\(found)")
    }

    @Test(arguments: ["[", "{a: ", "- ", "a:\n "])
    func deepNestingDoesNotCrash(piece: String) throws {
        let directory = try TemporaryDirectory()
        #expect(!problem(try directory.file(String(repeating: piece, count: 100_000))).isEmpty)
    }

    @Test func anchorsThatBlowUpAreNotFollowed() throws {
        let directory = try TemporaryDirectory()
        var text = "a0: &a0 [x, x]\n"
        for level in 1...60 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(problem(try directory.file(text)).contains("unknown key 'a0'"))
    }

    @Test func anchorsOnValuesWork() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.file("topics:\n  questions: &name q\nkafka:\n  groupId: *name\n")
        let settings = try SettingsReader.read(SettingsFlags(configFile: file), environment: [:])
        #expect(settings.groupID == "q")
    }

    @Test func byteOrderMarkAndCarriageReturns() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.file("\u{FEFF}lanes: 2\r\nlog:\r\n  level: debug\r\n")
        let settings = try SettingsReader.read(SettingsFlags(configFile: file), environment: [:])
        #expect(settings.lanes == 2)
        #expect(settings.logLevel == .debug)
    }
}
