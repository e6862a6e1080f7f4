// swift-tools-version: 6.2

import PackageDescription

// The step's modules with a program that runs each part of it alone, for `make bench-instructions`. The modules are links to
// the product's own sources: in a package of their own they would be out of each other's reach (`package` ends there), and in
// the product's they would be built by everybody. Nothing is fetched.
let package = Package(
    name: "step",
    platforms: [.macOS(.v15)],
    targets: [
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb"),
        .systemLibrary(name: "CPrefetch"),
        .target(name: "Records"),
        .target(name: "Workload"),
        .target(name: "AnswerStore", dependencies: ["CLMDB", "CPrefetch", "Records"]),
        .target(name: "Enrichment", dependencies: ["AnswerStore", "CPrefetch", "Records"]),
        .executableTarget(name: "step", dependencies: ["Records", "Workload", "AnswerStore", "Enrichment"]),
    ],
    swiftLanguageModes: [.v6]
)
