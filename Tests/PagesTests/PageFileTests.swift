import Foundation
import Pages
import Testing

@Suite("The pages' files")
struct PageFileTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources/Pages")

    private static let files: [(path: String, embedded: PageFile)] =
        [
            ("Dashboard/dashboard.html", PageFile.dashboard), ("report.css", .reportStyle), ("runbook.md", .runbook),
        ] + PageFile.parts.map { ("Dashboard/\($0.key)", $0.value) }

    @Test("are in the program byte for byte, but for their last line end")
    func bytes() throws {
        let dashboard = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path + "/Dashboard")
        #expect(Set(dashboard) == Set(PageFile.parts.keys).union(["dashboard.html"]))
        for file in Self.files {
            let stored = try [UInt8](Data(contentsOf: Self.folder.appending(path: file.path)))
            #expect(stored.last == UInt8(ascii: "\n"), "\(file.path)")
            #expect(file.embedded.bytes.elementsEqual(stored.dropLast()), "\(file.path)")
        }
    }

    @Test("that are scripts parse", .enabled(if: Node.path != nil, "node, which checks them, is not in PATH"))
    func scripts() throws {
        let node = try #require(Node.path)
        let scripts = PageFile.parts.filter { $0.key.hasSuffix(".js") }
        #expect(scripts.count >= 7)
        for (name, script) in scripts {
            let errors = try Node.syntaxErrors(of: script.bytes, node: node)
            #expect(errors == nil, "\(name): \(errors ?? "")")
        }
        // A check that finds nothing proves nothing.
        #expect(try Node.syntaxErrors(of: Array("import { a } from './b.js'; let c = ;\n".utf8), node: node) != nil)
    }
}

private enum Node {
    static let path = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":").map { "\($0)/node" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// - Returns: the messages of `node --check`; nil: none.
    static func syntaxErrors(of module: [UInt8], node: String) throws -> String? {
        let file = FileManager.default.temporaryDirectory.appending(path: "rejoinder-\(UUID().uuidString).mjs")
        try Data(module).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(filePath: node)
        process.arguments = ["--check", file.path]
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return process.terminationStatus == 0 ? nil : text
    }
}
