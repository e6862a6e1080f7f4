import Foundation

/// A directory that is gone when the test is.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "rejoinder-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ text: String) throws -> String {
        try file("rejoinder.yaml", Data(text.utf8))
    }

    func file(_ name: String, _ data: Data) throws -> String {
        let path = self.path + "/" + name
        try data.write(to: URL(fileURLWithPath: path))
        return path
    }
}
