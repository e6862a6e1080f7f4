/// The table of all settings as Markdown, for the documentation; a test compares the two.
enum SettingsTable {
    static var markdown: String {
        let head = ["| key | default | allowed | environment | flag | meaning |", "|---|---|---|---|---|---|"]
        let rows = SettingKey.allCases.map { key in
            let definition = key.definition
            let cells = [
                "`\(key.path)`",
                definition.standard.map { "`\($0)`" } ?? (definition.isOptional ? "none" : "worked out"),
                definition.kind.allowed,
                "`\(SettingsEnvironment.variable(of: key))`", definition.flag.map { "`\($0)`" } ?? "", definition.help,
            ]
            return "| " + cells.joined(separator: " | ") + " |"
        }
        return (head + rows).joined(separator: "\n")
    }
}
