extension AnswerStore {
    /// Whether nothing was ever applied.
    package var isNew: Bool { positions == TablePositions() }

    /// Has the changes to come gathered and sorted before they are written (`StoreLoad`), if the store is new and that is
    /// worth it. Until `writeLoad` has written all of it the store cannot be looked into, and what was applied is lost with
    /// the process.
    /// - Parameter changes: how many are to come. Where pages that may wait for a commit take in several of each, all
    ///   goes faster as it comes.
    package func beginLoad(of changes: Int64) throws(StoreError) {
        try checkOpen()
        guard isNew, changes >= changesWorthLoading() else { return }
        startLoad()
    }

    /// From `beginLoad` until everything is written.
    package var isLoading: Bool { load != nil }

    /// The written part of the changes gathered: 0 to 1. 1 where nothing is loaded.
    package var loadWritten: Double {
        guard let load else { return 1 }
        return load.gathered > 0 ? Double(load.taken) / Double(load.gathered) : 0
    }

    /// Ends the gathering of a load, and writes some of it. To be called until `isLoading` says that all of it is written;
    /// nothing may be applied meanwhile.
    /// - Parameters:
    ///   - changes: after how many of them it is enough for this time.
    ///   - bytes: the same by their ids and JSON.
    package func writeLoad(changes: Int, bytes: Int) throws(StoreError) {
        try checkOpen()
        guard let load else { return }
        do {
            try load.beginTaking()
            var left = (changes: changes, bytes: bytes)
            while left.changes > 0, left.bytes > 0, !load.isDone {
                let isAppended = try load.take()
                try write(load.batch, positions, isAppended: isAppended)
                left.changes -= load.batch.count
                left.bytes -= load.batch.byteCount
            }
        } catch {
            throw fail(error)
        }
        guard load.isDone else { return }
        try finishLoad()
    }
}
