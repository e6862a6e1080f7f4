// swift-tools-version: 6.3

import PackageDescription

// Micro-benchmarks of the step's parts: `swift package --package-path Benchmarks/Micro benchmark`. The modules are
// links to the product's own sources, as in Benchmarks/Step.
let package = Package(
    name: "micro",
    platforms: [.macOS(.v15)],
    dependencies: [
        // Without its interposers, which count allocations and cost time: `make bench` counts them.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: [])
    ],
    targets: [
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb"),
        .systemLibrary(name: "CPrefetch"),
        .target(name: "Bytes"),
        .target(name: "Records", dependencies: ["Bytes"]),
        .target(name: "Workload", dependencies: ["Bytes"]),
        .target(name: "AnswerStore", dependencies: ["Bytes", "CLMDB", "CPrefetch", "Records"]),
        .target(name: "Enrichment", dependencies: ["Bytes", "AnswerStore", "CPrefetch", "Records"]),
        .executableTarget(
            name: "Step",
            dependencies: [
                "Bytes", "Records", "Workload", "AnswerStore", "Enrichment",
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/Step",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ],
    swiftLanguageModes: [.v6]
)
