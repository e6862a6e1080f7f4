import AnswerStore
import ArgumentParser

/// `rejoinder show`
struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows a question's answers and votes in the store.",
        discussion: """
            Reads the stores under the state directory, while a worker uses them or not, and disturbs nobody: the \
            visible answers in the order of the enriched record, with their votes and labels, and votes that wait for \
            their answer. Only partitions that a worker on this directory has had are there, and not before their \
            stores have been filled for the first time. Status 65 if nothing is stored.

            Example:
              rejoinder show q-1017 --state-dir /var/lib/rejoinder
              rejoinder show q-1017 --json | jq '.answers[].voteCount'
            """)

    @Argument(help: ArgumentHelp("The question's id.", valueName: "question-id"))
    var questionID: String

    @Flag(help: "One JSON object a line: the answers byte for byte as stored.")
    var json = false

    @OptionGroup(title: "Settings")
    var options: SettingsOptions

    func run() throws {
        let path = try options.settings().storeDirectory
        let id = Array(questionID.utf8)
        let search = try id.withUnsafeBytes { bytes in try StateDirectory.find(question: bytes, stateDirectory: path) }
        for store in search.unreadable { LogWriter.standardError.say("rejoinder: \(store.reason)") }
        for found in search.found {
            let stored = StoredQuestion(id: questionID, found)
            LineWriter.standardOutput.write(json ? stored.json : stored.text)
        }
        guard search.found.isEmpty else { return }
        guard search.unreadable.isEmpty else {
            throw CommandFailure(
                .stateDirectory,
                "no readable store in \(Printable.quoted(path)) holds anything for \(Printable.quoted(questionID)).")
        }
        throw CommandFailure(
            .badData,
            "nothing is stored for \(Printable.quoted(questionID)) in \(Printable.quoted(path)): it has no answers and "
                + "no votes, another worker has its partition, or its store is still being filled for the first time.")
    }
}
