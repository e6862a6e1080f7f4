import AnswerStore
import Foundation

/// A state directory that lasts as long as a replay.
///
/// Its files are unlinked as soon as they are open, and their bytes live as long as the process has them open. So not
/// even a killed process leaves anything behind.
final class TemporaryState {
    let path: String
    private let directory: StateDirectory

    /// - Throws: when the directory cannot be created.
    init() throws(StateDirectoryError) {
        path =
            FileManager.default.temporaryDirectory.appendingPathComponent("rejoinder-replay-\(UUID().uuidString)").path
        directory = try StateDirectory(path: path)
        removeNames()
    }

    deinit {
        directory.unlock()
        removeNames()
    }

    /// Opens an empty store.
    func makeStore(partition: Int32, answersTopic: String, votesTopic: String) throws(StoreError) -> AnswerStore {
        defer { removeNames() }
        return try directory.openScratchStore(
            partition: partition,
            source: StoreSource(
                clusterID: "recording", answersTopic: answersTopic, votesTopic: votesTopic, partition: partition)
        ).store
    }

    /// Opens copies of all stores of a state directory, which stays unchanged.
    func copyStores(of path: String) throws -> [(partition: Int32, store: AnswerStore)] {
        let origin = try StateDirectoryReader(path: path)
        return try origin.partitions().map { partition in
            defer { removeNames() }
            return (partition, try origin.copyStore(of: partition, into: directory))
        }
    }

    /// Closing a store may create names again.
    func removeNames() { try? FileManager.default.removeItem(atPath: path) }
}
