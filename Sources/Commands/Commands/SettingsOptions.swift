import ArgumentParser
import Foundation

/// The flags that every command with settings shares.
struct SettingsOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Configuration file (YAML); also REJOINDER_CONFIG.", valueName: "file"))
    var config: String?

    @Option(name: .long, help: ArgumentHelp("Brokers to start from.", valueName: "host:port,..."))
    var bootstrapServers: String?

    @Option(name: .long, help: ArgumentHelp("Consumer group.", valueName: "name"))
    var groupID: String?

    @Option(name: .long, help: ArgumentHelp("State directory.", valueName: "path"))
    var stateDir: String?

    @Option(name: .long, help: ArgumentHelp("exactly-once or at-least-once.", valueName: "mode"))
    var delivery: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Where offsets do not match their logs: stop or continue.", valueName: "policy"))
    var offsetsOnMismatch: String?
    @Option(name: .long, help: ArgumentHelp("questions or changes.", valueName: "mode"))
    var publishOn: String?

    @Option(name: .long, help: ArgumentHelp("Threads that work side by side.", valueName: "number"))
    var lanes: String?

    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A librdkafka property; may be repeated.", valueName: "name=value"))
    var kafka: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
    var logLevel: String?

    @Option(name: .long, help: ArgumentHelp("json or text.", valueName: "format"))
    var logFormat: String?

    /// The given flags, for the settings reader.
    var flags: SettingsFlags {
        let given: [SettingKey: String?] = [
            .bootstrapServers: bootstrapServers, .groupID: groupID, .storeDirectory: stateDir, .delivery: delivery,
            .offsetMismatch: offsetsOnMismatch, .publishOn: publishOn, .lanes: lanes, .logLevel: logLevel,
            .logFormat: logFormat,
        ]
        return SettingsFlags(configFile: config, values: given.compactMapValues { $0 }, kafka: kafka)
    }

    /// The effective settings of this process.
    func settings() throws(SettingsError) -> Settings {
        try SettingsReader.read(flags, environment: ProcessInfo.processInfo.environment)
    }
}
