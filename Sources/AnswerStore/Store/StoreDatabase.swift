/// A store's tables.
struct StoreTables {
    let answers: LMDBTable
    let meta: LMDBTable
    let questions: LMDBTable
    let tallies: LMDBTable
    let voters: LMDBTable
    /// The tree of the tables' names.
    let main: LMDBTable

    /// Opens the tables and creates missing ones. Writes nothing if all exist.
    init(_ environment: borrowing LMDBEnvironment) throws(LMDBFailure) {
        let transaction = try LMDBTransaction(environment, isReadOnly: false)
        main = try transaction.table(nil, isMade: false)
        answers = try transaction.table("answers", isMade: true)
        meta = try transaction.table("meta", isMade: true)
        questions = try transaction.table("questions", isMade: true)
        tallies = try transaction.table("tallies", isMade: true)
        voters = try transaction.table("voters", isMade: true)
        // The handles stay valid after the commit.
        try transaction.commit()
    }
}

/// A transaction with the cursors for lookups: a snapshot of the store.
struct StoreView: ~Copyable {
    let answers: LMDBCursor
    let tallies: LMDBCursor
    let transaction: LMDBTransaction

    init(_ transaction: consuming LMDBTransaction, _ tables: StoreTables) throws(LMDBFailure) {
        let answers = try LMDBCursor(transaction, tables.answers)
        let tallies = try LMDBCursor(transaction, tables.tallies)
        self.answers = answers
        self.tallies = tallies
        self.transaction = transaction
    }

    /// Moves to the last commit. After a failure the view is reset.
    func renew() throws(LMDBFailure) {
        try transaction.renew()
        do throws(LMDBFailure) {
            try answers.renew(transaction)
            try tallies.renew(transaction)
        } catch {
            transaction.reset()
            throw error
        }
    }

    func reset() { transaction.reset() }

    consuming func commit() throws(LMDBFailure) { try transaction.commit() }
}

/// An open data file with its tables, and its one read transaction.
struct StoreDatabase: ~Copyable {
    /// Lives as long as the file is open; reset except while lookups read.
    let committed: StoreView
    let tables: StoreTables
    let environment: LMDBEnvironment

    init(directory: String, mapSize: Int, isScratch: Bool) throws(LMDBFailure) {
        let environment = try LMDBEnvironment(
            directory: directory, mapSize: mapSize, writes: isScratch ? .scratch : .unsynchronized)
        let tables = try StoreTables(environment)
        let committed = try StoreView(try LMDBTransaction(environment, isReadOnly: true), tables)
        committed.reset()
        self.committed = committed
        self.tables = tables
        self.environment = environment
    }

    /// Closes the read transaction, then the file.
    consuming func close() {
        _ = consume committed
        _ = consume environment
    }
}
