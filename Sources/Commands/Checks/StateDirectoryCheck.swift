import AnswerStore
import Foundation

/// Checks whether a worker could use the state directory. Does not create a missing one; takes and releases the
/// worker's lock in an existing one.
enum StateDirectoryCheck {
    static func run(path: String) -> CheckResult {
        let subject = "state directory \(Printable.text(path))"
        guard FileManager.default.fileExists(atPath: path) else { return parent(of: path, subject) }
        do throws(StateDirectoryError) {
            let directory = try StateDirectory(path: path)
            directory.unlock()
            return .ok(subject, "can be used; its worker is \(directory.identity)")
        } catch {
            return .fail(subject, Printable.text(error.description, limit: 500), "", .stateDirectory)
        }
    }

    /// Reads every store in the directory to its last byte, which takes as long as reading the files.
    static func stores(path: String) -> [CheckResult] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let subject = "stores in \(Printable.text(path))"
        do throws(StateDirectoryError) {
            let reader = try StateDirectoryReader(path: path)
            let partitions = try reader.partitions()
            guard !partitions.isEmpty else { return [.ok(subject, "there are none yet")] }
            return partitions.map { partition in
                let subject = "store of partition \(partition)"
                do throws(StoreError) {
                    try reader.verify(partition)
                    return .ok(subject, "every page and row is whole")
                } catch {
                    return .fail(subject, Printable.text(error.description, limit: 500), "", .stateDirectory)
                }
            }
        } catch {
            // `run(path:)` reports this failure.
            if case .inUse = error.kind { return [.skipped(subject, "a worker uses it; stop the worker first")] }
            return [.skipped(subject, Printable.text(error.description, limit: 500))]
        }
    }

    /// The worker creates the directory and its parents, so the nearest existing parent must be writable.
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
