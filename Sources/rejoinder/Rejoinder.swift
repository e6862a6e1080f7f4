import ArgumentParser

@main
struct Rejoinder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rejoinder")
}
