import Foundation
import Testing

@testable import Commands

@Suite struct SettingsDocumentationTests {
    private func document() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent("docs/configuration.md"), encoding: .utf8)
    }

    @Test func theTableIsTheOneThatIsRead() throws {
        #expect(
            try document().contains(SettingsTable.markdown),
            "put this into docs/configuration.md:\n\(SettingsTable.markdown)")
    }

    @Test func theExampleIsReadWithoutAProblem() throws {
        let pieces = try document().components(separatedBy: "```yaml\n")
        let example = try #require(pieces.dropFirst().first?.components(separatedBy: "```").first)
        let directory = try TemporaryDirectory()
        let settings = try SettingsReader.read(SettingsFlags(configFile: directory.file(example)), environment: [:])
        #expect(settings.kafkaProperties["security.protocol"] == "SASL_SSL")
    }

    @Test func everyOwnedPropertyIsListed() throws {
        let text = try document()
        for name in OwnedProperty.names { #expect(text.contains("`\(name)`"), "\(name)") }
    }
}
