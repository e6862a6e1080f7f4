// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "rejoinder",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "rejoinder", targets: ["rejoinder"]),
        // For users' own tests; the only module with a public face.
        .library(name: "RejoinderTesting", targets: ["RejoinderTesting"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.0.0", traits: [.defaults, "YAML"]),
        // swift-configuration reads YAML with it too; we use it for key names and lines, which that library does not
        // give.
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.3"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.1.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.11.0"),
        // The admin port's HTTP/1.1. Of the other two only the types in which its connections are handed to us.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
    ],
    targets: [
        // C bindings: the system's installed libraries, found by pkg-config, and nothing of ours in C.
        .systemLibrary(
            name: "CRDKafka", pkgConfig: "rdkafka",
            providers: [.apt(["librdkafka-dev"]), .brew(["librdkafka"])]),
        .systemLibrary(
            name: "CLMDB", pkgConfig: "lmdb",
            providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]),
        .systemLibrary(
            name: "CZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(
            name: "CZstd", pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),
        // OpenSSL, which librdkafka and libcurl load as well: the hash in a recording's manifest.
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        // A builtin of the C compiler, by a header alone.
        .systemLibrary(name: "CPrefetch"),
        // The parts of <malloc.h> that Swift's Glibc module leaves out.
        .systemLibrary(name: "CMalloc"),

        // The house, from the cellar up: a module imports only those above it in this list.
        // JSON, texts and times as bytes; nothing of the domain. Nothing else is below it.
        .target(name: "Bytes"),
        .target(
            name: "KafkaClient",
            dependencies: ["Bytes", "CRDKafka", .product(name: "Logging", package: "swift-log")]),
        .target(name: "Records", dependencies: ["Bytes"]),
        // The files of the pages, whose bytes a C file embeds.
        .target(name: "CPages"),
        .target(name: "Pages", dependencies: ["CPages"], exclude: ["Dashboard", "report.css", "runbook.md"]),
        // Made-up records, for sizing clusters and for the benchmarks; nothing but the command uses it.
        .target(name: "Workload", dependencies: ["Bytes"]),
        .target(name: "AnswerStore", dependencies: ["Bytes", "CLMDB", "CPrefetch", "Records"]),
        .target(name: "Enrichment", dependencies: ["Bytes", "AnswerStore", "CPrefetch", "Records"]),
        .target(
            name: "Sources",
            dependencies: ["Bytes", "AnswerStore", "Records", .product(name: "Yams", package: "Yams")]),
        .target(name: "SchemaRegistry", dependencies: ["Bytes", "CCurl", "Sources"]),
        .target(
            name: "Worker",
            dependencies: [
                "Bytes", "KafkaClient", "Records", "AnswerStore", "Enrichment", "Sources", "SchemaRegistry",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ]),
        // The throughput line, and the monitor that makes it of the lanes' reports.
        .target(
            name: "Throughput",
            dependencies: [
                "Bytes", "Worker", "Records", "KafkaClient",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .target(name: "Report", dependencies: ["Bytes", "Pages", "Records", "Throughput", "Worker"]),
        .target(name: "AdminRequests", dependencies: ["Bytes", "Throughput"]),
        .target(
            name: "Admin",
            dependencies: [
                "AdminRequests", "Bytes", "KafkaClient", "Pages", "Records", "Throughput", "Worker",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .target(
            name: "Recording",
            dependencies: [
                "Bytes", "Worker", "Enrichment", "AnswerStore", "Records", "KafkaClient", "CCrypto", "CZlib", "CZstd",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "RejoinderTesting",
            dependencies: ["Bytes", "Recording", "Worker", "AnswerStore", "Records", "KafkaClient"]),
        // The commands; the program is its entry alone, so that tests import a library.
        .target(
            name: "Commands",
            dependencies: [
                "Admin", "AdminRequests", "Report", "Throughput",
                "Bytes", "Recording", "Worker", "Enrichment", "AnswerStore", "Records", "KafkaClient",
                "Sources", "SchemaRegistry", "Workload", "CMalloc",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Yams", package: "Yams"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .executableTarget(name: "rejoinder", dependencies: ["Commands"]),

        // Shared by several test targets: a real Kafka-protocol server, and waiting with a limit.
        .target(
            name: "TestSupport",
            dependencies: ["KafkaClient", .product(name: "Logging", package: "swift-log")],
            path: "Tests/TestSupport"),
        .testTarget(
            name: "KafkaClientTests",
            dependencies: ["KafkaClient", "TestSupport", .product(name: "Logging", package: "swift-log")]),
        .testTarget(name: "BytesTests", dependencies: ["Bytes"]),
        .testTarget(
            name: "RecordsTests", dependencies: ["Bytes", "Records"], exclude: ["Python"],
            resources: [.copy("Resources")]),
        .testTarget(name: "PagesTests", dependencies: ["Pages"]),
        .testTarget(name: "WorkloadTests", dependencies: ["Workload", "Records"]),
        .testTarget(name: "AnswerStoreTests", dependencies: ["Bytes", "AnswerStore", "Records"]),
        .testTarget(
            name: "SourcesTests",
            dependencies: ["Bytes", "Sources", "AnswerStore", "Records", .product(name: "Yams", package: "Yams")],
            exclude: ["Python"], resources: [.copy("Resources")]),
        .testTarget(name: "SchemaRegistryTests", dependencies: ["SchemaRegistry", "Sources"]),
        .testTarget(name: "EnrichmentTests", dependencies: ["Bytes", "Enrichment", "AnswerStore", "Records"]),
        .testTarget(
            name: "WorkerTests",
            dependencies: [
                "Worker", "Enrichment", "AnswerStore", "Records", "KafkaClient", "Sources",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(
            name: "RecordingTests",
            dependencies: [
                "Recording", "Worker", "Records", "AnswerStore", "KafkaClient", "TestSupport", "CZlib",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(name: "RejoinderTestingTests", dependencies: ["RejoinderTesting"]),
        .testTarget(
            name: "MonitoringTests",
            dependencies: [
                "Admin", "AdminRequests", "Bytes", "KafkaClient", "Pages", "Records", "Report", "Throughput", "Worker",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(
            name: "CommandsTests",
            dependencies: [
                "Admin", "AdminRequests", "Throughput",
                "Bytes", "Commands", "Recording", "Worker", "AnswerStore", "Records", "KafkaClient",
                "Workload", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(name: "HouseTests"),
    ],
    swiftLanguageModes: [.v6]
)

// In CI a warning in a source of ours is an error. Dependencies are not held to it.
if Context.environment["REJOINDER_TEST_STRICT"] != nil {
    for target in package.targets where target.type != .system {
        target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error)]
    }
}
