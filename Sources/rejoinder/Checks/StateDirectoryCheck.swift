import Foundation

/// Whether a worker could use the state directory. Makes nothing that is not there.
enum StateDirectoryCheck {
    static func run(path: String) -> CheckResult {
        let subject = "state directory \(Printable.text(path))"
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            return parent(of: path, subject)
        }
        guard isDirectory.boolValue else {
            return .fail(subject, "is a file", "name a directory with store.directory (--state-dir)", .stateDirectory)
        }
        return .ok(subject, "can be used")
    }

    /// The worker makes the directory and its parents: the nearest that exists must let it.
    private static func parent(of path: String, _ subject: String) -> CheckResult {
        var url = URL(fileURLWithPath: path).standardizedFileURL
        while url.path != "/", !FileManager.default.fileExists(atPath: url.path) { url.deleteLastPathComponent() }
        guard access(url.path, W_OK | X_OK) == 0 else {
            return .fail(
                subject, "does not exist, and cannot be made in \(url.path): \(String(cString: strerror(errno)))",
                "make it and give it to the worker's user, or name another with store.directory (--state-dir)",
                .stateDirectory)
        }
        return .ok(subject, "will be made")
    }
}
