// swift-tools-version: 6.2

import PackageDescription

// The parts that read bytes of others, with libFuzzer, for `scripts/fuzz`. The modules are links to the product's own
// sources, as those of Benchmarks/Step are: only the needed ones are built, and all with libFuzzer's counters. Nothing
// is fetched. Built with `--sanitize=fuzzer`, which the toolchain has on Linux.
let package = Package(
    name: "fuzz",
    platforms: [.macOS(.v15)],
    targets: [
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb"),
        .systemLibrary(name: "CPrefetch"),
        .systemLibrary(name: "CFuzzer"),
        .target(name: "Bytes"),
        .target(name: "Records", dependencies: ["Bytes"]),
        .target(name: "AnswerStore", dependencies: ["Bytes", "CLMDB", "CPrefetch", "Records"]),
        // Of KafkaClient a record's header and a partition's name.
        .target(name: "KafkaClient"),
        .target(name: "Envelope", dependencies: ["Bytes", "KafkaClient", "Records"]),
        // Of Worker the tables of its counters and gauges.
        .target(name: "Worker", dependencies: ["Bytes", "KafkaClient", "Records"]),
        .target(name: "Throughput", dependencies: ["Bytes", "Records", "Worker"]),
        .target(name: "Report", dependencies: ["Throughput"]),
        // Without the reader of YAML, which is another package's.
        .target(
            name: "Sources", dependencies: ["Bytes", "AnswerStore", "Records"],
            exclude: [
                "Configuration/SourceConfigurationReader.swift", "Configuration/SourceConfigurationReader+Fields.swift",
                "Configuration/SourceConfigurationReader+Values.swift",
                "Configuration/SourceConfigurationReader+Where.swift", "Presets", "StackExchange",
            ]),
        .executableTarget(
            name: "fuzz",
            dependencies: ["CFuzzer", "Bytes", "Records", "AnswerStore", "Envelope", "Report", "Sources"]),
    ],
    swiftLanguageModes: [.v6]
)
