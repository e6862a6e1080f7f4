import Worker

extension SettingKey {
    /// The table of all settings.
    var definition: SettingDefinition {
        switch self {
        case .bootstrapServers:
            SettingDefinition(
                kind: .text, standard: "localhost:9092", flag: "--bootstrap-servers",
                help: "Brokers to start from, `host:port`, several separated by commas.")
        case .groupID:
            SettingDefinition(
                kind: .text, standard: "rejoinder", flag: "--group-id",
                help: "The consumer group that the workers of one deployment share.")
        case .staticMembership:
            SettingDefinition(
                kind: .boolean, standard: "false",
                help: "Keep the worker's place in the group through a quick restart, so that no partition moves.")
        case .questionsTopic:
            SettingDefinition(kind: .topicName, standard: "questions", help: "Question events, consumed.")
        case .answersTopic:
            SettingDefinition(kind: .topicName, standard: "answers", help: "Answers, consumed into the store.")
        case .votesTopic:
            SettingDefinition(kind: .topicName, standard: "votes", help: "Votes, consumed into the store.")
        case .enrichedTopic:
            SettingDefinition(kind: .topicName, standard: "questions.enriched", help: "Enriched records, published.")
        case .deadLetterTopic:
            SettingDefinition(
                kind: .topicName, standard: "questions.dead-letter",
                help: "Records that could not be processed, published as they came, with the reason as headers.")
        case .sourceIndexTopic:
            SettingDefinition(
                kind: .topicName, standard: "questions.source-index",
                help: "Where the sources keep which rows they have published; used where there are `sources`.")
        case .delivery:
            SettingDefinition(
                kind: .choice(DeliveryMode.allCases.map(\.rawValue)), standard: DeliveryMode.exactlyOnce.rawValue,
                flag: "--delivery",
                help: "The guarantee through crashes: each event's effect once, or at least once.")
        case .publishOn:
            SettingDefinition(
                kind: .choice(PublishMode.names), standard: PublishMode.questions.name, flag: "--publish-on",
                help:
                    "`questions`: one record for each question event; `changes`: also when an answer or a vote changes "
                    + "the record."
            )
        case .publishCoalesceMs:
            SettingDefinition(
                kind: .integer(0...3_600_000), standard: "1000",
                help:
                    "With `publish.on: changes`, a question is published again at most once in this time, in "
                    + "milliseconds."
            )
        case .commitIntervalMs:
            SettingDefinition(
                kind: .integer(1...30_000), standard: "100",
                help: "Longest time between two commits while there is work, in milliseconds.")
        case .offsetMismatch:
            SettingDefinition(
                kind: .choice(OffsetMismatchPolicy.allCases.map(\.rawValue)),
                standard: OffsetMismatchPolicy.stop.rawValue, flag: "--offsets-on-mismatch",
                help:
                    "Where the group's offsets do not match a topic's log (beyond its end, below its start, lost): end "
                    + "before anything is published, or go on from the nearest position."
            )
        case .publishesProvenance:
            SettingDefinition(
                kind: .boolean, standard: "true",
                help:
                    "Whether each enriched record names its origin in the header `rejoinder.from`, which `rejoinder "
                    + "verify` needs."
            )
        case .lanes:
            SettingDefinition(
                kind: .integer(1...64), standard: "1", flag: "--lanes",
                help: "Threads that work side by side, each a member of the group with partitions of its own.")
        case .sourceLanes:
            SettingDefinition(
                kind: .integer(1...64), standard: "1",
                help: "Threads that work on the `sources`, each a member of the group `<groupId>-sources`.")
        case .registryURL:
            .optional(
                .registryAddresses,
                "The schema registry (Confluent's or one that speaks as it), for `sources` of the format `avro`.")
        case .registryUsername: .optional(.text, "The user for the registry's basic authentication.")
        case .registryPassword:
            .optional(.text, isSecret: true, "The user's password; better in the environment or in a file.")
        case .registryPasswordFile:
            .optional(
                .path, "A file that holds the password instead, read for each request, so that it can be changed.")
        case .registryAuthorityFile:
            .optional(.path, "Certificates (PEM) of the authorities to trust instead of the system's.")
        case .registryCertificateFile:
            .optional(.path, "The worker's own certificate (PEM), where the registry asks for one.")
        case .registryKeyFile: .optional(.path, "The key (PEM) of `registry.certificateFile`.")
        case .registryKeyPassword: .optional(.text, isSecret: true, "The password of that key.")
        case .storeDirectory:
            SettingDefinition(
                kind: .path, standard: "state", flag: "--state-dir",
                help: "The state directory: stores, identity and lock. One worker process each.")
        case .maxRecordBytes:
            SettingDefinition(
                kind: .integer(1_000...1_000_000_000),
                help:
                    "Longest enriched value in bytes; answers beyond it are left out. Default: just under the "
                    + "producer's `message.max.bytes`."
            )
        case .memoryBudgetMiB:
            SettingDefinition(
                kind: .integer(64...1_048_576), standard: "256",
                help: "Memory for queues, batches and buffers, in MiB; the stores' mapped pages come on top.")
        case .adminHost:
            SettingDefinition(
                kind: .text, standard: "127.0.0.1",
                help: "Address that the admin port listens on; `0.0.0.0` for every IPv4 interface.")
        case .adminPort:
            SettingDefinition(
                kind: .integer(0...65_535), standard: "9464",
                help: "The admin port; 0 takes any free port, which is logged.")
        case .adminPeers:
            SettingDefinition(
                kind: .addresses,
                help:
                    "Admin addresses of the group's other workers, which `/group` shows beside this one. Default: none."
            )
        case .monitoringIntervalSeconds:
            SettingDefinition(
                kind: .integer(1...3_600), standard: "10", help: "Seconds between two lines of the throughput log.")
        case .objectiveMs:
            SettingDefinition(
                kind: .integer(100...86_400_000), standard: "5000",
                help:
                    "How fresh the output is to be: the age in milliseconds that an event may have when its output is "
                    + "acknowledged. Metrics count the events within it; beyond it the worker calls itself behind.")
        case .logLevel:
            SettingDefinition(
                kind: .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]), standard: "info",
                flag: "--log-level", help: "The least important lines that are logged.")
        case .logFormat:
            SettingDefinition(
                kind: .choice(LogFormat.allCases.map(\.rawValue)), standard: LogFormat.json.rawValue,
                flag: "--log-format", help: "`json`: one object a line, for machines; `text`: for people.")
        }
    }
}
