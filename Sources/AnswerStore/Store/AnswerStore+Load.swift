extension AnswerStore {
    /// Whether no change was ever applied.
    package var isNew: Bool { positions == TablePositions() }

    /// Starts gathering and sorting the changes to come (`StoreLoad`), which are written later, if the store is new and
    /// that pays off. Until `writeLoad` has written everything, lookups are incomplete, and applied changes are lost
    /// with the process.
    /// - Parameter changes: the number of changes to come. A small number is written faster directly; see
    ///   `changesWorthLoading`.
    package func beginLoad(of changes: Int64) throws(StoreError) {
        try checkOpen()
        guard isNew, changes >= changesWorthLoading() else { return }
        startLoad()
    }

    /// True from `beginLoad` until everything is written.
    package var isLoading: Bool { load != nil }

    /// The share of gathered changes that is written, 0 to 1; 1 without a load.
    package var loadWritten: Double {
        guard let load else { return 1 }
        return load.gathered > 0 ? Double(load.taken) / Double(load.gathered) : 0
    }

    /// Ends the gathering of a load and writes part of it. Call until `isLoading` is false; nothing may be applied
    /// meanwhile.
    /// - Parameters:
    ///   - changes: the number of changes after which the call returns.
    ///   - bytes: the same limit in bytes of ids and JSON.
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
