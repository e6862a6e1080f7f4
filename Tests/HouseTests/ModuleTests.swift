import Foundation
import Testing

/// The rules of docs/ARCHITECTURE.md that a compiler does not check.
@Suite struct ModuleTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The modules of `Sources/`, in the order in which Package.swift declares them: from the cellar up.
    private static func modules() throws -> [String] {
        let package = try text("Package.swift")
        let declaration = /\.(?:target|executableTarget|systemLibrary)\(\s*name: "(\w+)"/
        let sources = try Set(FileManager.default.contentsOfDirectory(atPath: root.path + "/Sources"))
        return package.matches(of: declaration).map { String($0.1) }.filter(sources.contains)
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// Each module that a module's sources import, with a file that does so.
    private static func imports(of module: String) throws -> [String: String] {
        var found: [String: String] = [:]
        let folder = root.appendingPathComponent("Sources/\(module)")
        for case let file as URL in try #require(
            FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: /(?m)^\s*(?:@\w+ )?(?:(?:internal|package|public|private) )?import (\w+)/) {
                found[String(match.1)] = file.lastPathComponent
            }
        }
        return found
    }

    @Test func everyModuleIsDeclared() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.root.path + "/Sources")
        #expect(try Set(Self.modules()) == Set(folders.filter { !$0.hasPrefix(".") }))
    }

    @Test func noModuleImportsUpwards() throws {
        let modules = try Self.modules()
        try #require(modules.count > 10)
        for (level, module) in modules.enumerated() {
            let above = Set(modules[level...])
            for (imported, file) in try Self.imports(of: module) where above.contains(imported) && imported != module {
                Issue.record("\(module) (\(file)) imports \(imported), which Package.swift declares above it")
            }
        }
    }

    /// C types stay in the modules that wrap them, and HTTP in the one that serves it: a report is made without.
    @Test(arguments: [
        ("CRDKafka", ["KafkaClient"]), ("CLMDB", ["AnswerStore"]), ("CZlib", ["Recording"]), ("CZstd", ["Recording"]),
        ("CPages", ["Pages"]), ("CCurl", ["SchemaRegistry"]), ("CCrypto", ["Recording"]), ("Hummingbird", ["Admin"]),
    ])
    func onlyItsWrapperImportsALibrary(library: String, wrappers: [String]) throws {
        let importers = try Self.modules().filter { try Self.imports(of: $0)[library] != nil }
        #expect(importers == wrappers)
    }

    @Test func lmdbStaysInItsFolder() throws {
        let folder = Self.root.appendingPathComponent("Sources/AnswerStore")
        for case let file as URL in try #require(
            FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        where file.pathExtension == "swift" && file.deletingLastPathComponent().lastPathComponent != "LMDB" {
            #expect(
                try !String(contentsOf: file, encoding: .utf8).contains("import CLMDB"), "\(file.lastPathComponent)")
        }
    }

    @Test func theArchitectureNamesEveryModule() throws {
        let architecture = try Self.text("docs/ARCHITECTURE.md")
        let rows = architecture.split(separator: "\n").filter { $0.hasPrefix("| `") }.compactMap {
            $0.split(separator: "|").first
        }
        let named = Set(rows.flatMap { $0.matches(of: /`(\w+)`/).map { String($0.1) } })
        for module in try Self.modules() {
            #expect(named.contains(module), "\(module) has no row in the module table of docs/ARCHITECTURE.md")
        }
    }
}
