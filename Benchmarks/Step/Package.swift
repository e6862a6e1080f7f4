// swift-tools-version: 6.2

import PackageDescription

// The step's modules with a program that runs each part of it alone, for `make bench-instructions`. The modules are
// links to the product's own sources: in a package of their own they would be out of each other's reach (`package` ends
// there), and in the product's each build would include them. Nothing is fetched.
let package = Package(
    name: "step",
    platforms: [.macOS(.v15)],
    targets: [
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb"),
        .systemLibrary(name: "CPrefetch"),
        .target(name: "Bytes"),
        .target(name: "Records", dependencies: ["Bytes"]),
        .target(name: "Workload", dependencies: ["Bytes"]),
        .target(name: "AnswerStore", dependencies: ["Bytes", "CLMDB", "CPrefetch", "Records"]),
        .target(name: "Enrichment", dependencies: ["Bytes", "AnswerStore", "CPrefetch", "Records"]),
        // Without the reader of YAML, which is another package's.
        .target(
            name: "Sources", dependencies: ["Bytes", "AnswerStore", "Records"],
            exclude: [
                "Configuration/SourceConfigurationReader.swift", "Configuration/SourceConfigurationReader+Fields.swift",
                "Configuration/SourceConfigurationReader+Values.swift",
                "Configuration/SourceConfigurationReader+Where.swift", "Presets", "StackExchange",
            ]),
        .executableTarget(name: "mapping", dependencies: ["Bytes", "Records", "AnswerStore", "Sources"]),
        .executableTarget(name: "step", dependencies: ["Bytes", "Records", "Workload", "AnswerStore", "Enrichment"]),
    ],
    swiftLanguageModes: [.v6]
)
