/// Verifies or rebuilds a partition's directory before LMDB opens it, then opens the store.
struct StoreOpener {
    let directory: String
    let source: StoreSource
    let mapSize: Int
    let isScratch: Bool
    let longestWait: Duration
    let pendingLimit: @Sendable () -> Int
    let onClose: @Sendable () -> Void

    init(
        directory: String, source: StoreSource, mapSize: Int, isScratch: Bool = false,
        longestWait: Duration = .milliseconds(250),
        pendingLimit: @escaping @Sendable () -> Int, onClose: @escaping @Sendable () -> Void
    ) {
        self.directory = directory
        self.source = source
        self.mapSize = mapSize
        self.isScratch = isScratch
        self.longestWait = longestWait
        self.pendingLimit = pendingLimit
        self.onClose = onClose
    }

    func open() throws(StoreError) -> OpenedStore {
        let meta: StoreMeta?
        do {
            meta = try existing()
        } catch {
            return try rebuild(reason: error.reason)
        }
        guard let meta else { return OpenedStore(store: try begin(), opening: .created) }
        do {
            try writeOpenSeal()
            return OpenedStore(store: try makeStore(meta), opening: .resumed)
        } catch  where error.kind == .damaged {
            return try rebuild(reason: "LMDB refuses its data file")
        }
    }

    /// The existing store's `meta` row; nil when there is no store.
    private func existing() throws(StoreDamage) -> StoreMeta? {
        let names: [String]
        do {
            guard try FileSystem.entry(at: directory) != .missing else { return nil }
            names = try FileSystem.names(in: directory)
        } catch {
            throw StoreDamage("its directory cannot be read (\(error.text))")
        }
        guard names.contains(StoreSeal.fileName) || names.contains(StoreInspection.dataFileName) else { return nil }
        guard names.contains(StoreSeal.fileName) else { throw StoreDamage("its seal file is missing") }
        let meta: StoreMeta
        switch try StoreSeal.read(in: directory) {
        case .closed(let size, let stamp, let transactionID):
            meta = try StoreInspection.verify(
                directory: directory, sealedSize: size, stamp: stamp, transactionID: transactionID)
        case .open(let boot):
            guard let boot, boot == MachineBoot.identifier() else {
                throw StoreDamage("it was still open when the machine went down, so writes may be lost")
            }
            meta = try StoreInspection.verify(directory: directory)
        }
        guard meta.source == source else { throw StoreDamage(difference(meta.source)) }
        return meta
    }

    private func difference(_ stored: StoreSource) -> String {
        if stored.clusterID != source.clusterID {
            return "it was filled from the cluster '\(stored.clusterID)', and this one is '\(source.clusterID)'"
        }
        return "it was filled from the topics '\(stored.answersTopic)' and '\(stored.votesTopic)', partition "
            + "\(stored.partition), and is to hold '\(source.answersTopic)' and '\(source.votesTopic)', partition "
            + "\(source.partition)"
    }

    private func rebuild(reason: String) throws(StoreError) -> OpenedStore {
        OpenedStore(store: try begin(), opening: .rebuilt(reason: reason))
    }

    private func begin() throws(StoreError) -> AnswerStore {
        do {
            try FileSystem.remove(directory)
            try FileSystem.makeDirectories(directory)
        } catch {
            throw StoreError(error, doing: "making", directory: directory)
        }
        try writeOpenSeal()
        return try makeStore(nil)
    }

    /// Writes the `open` seal: from here on a power loss is detected.
    private func writeOpenSeal() throws(StoreError) {
        // Only the next opening reads a seal, and a scratch store has no next opening: this saves two syncs for each.
        guard !isScratch else { return }
        do {
            try StoreSeal.write(.open(boot: MachineBoot.identifier()), in: directory)
        } catch {
            throw StoreError(error, doing: "opening", directory: directory)
        }
    }

    private func makeStore(_ meta: StoreMeta?) throws(StoreError) -> AnswerStore {
        try AnswerStore(
            directory: directory, source: source, meta: meta, mapSize: mapSize, isScratch: isScratch,
            longestWait: longestWait, pendingLimit: pendingLimit, onClose: onClose)
    }
}
