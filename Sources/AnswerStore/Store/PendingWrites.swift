import Records

/// The write transaction that stays open from batch to batch, and an estimate of its size.
///
/// Pages that it changed are copies in LMDB's memory until the commit, one for each page, however often it is changed: the
/// longer it stays open the less a change costs, and the more memory it takes. Aborted at the end of its life unless it was
/// committed.
struct PendingWrites: ~Copyable {
    /// The longest that a change waits for its commit, while anything is applied or `commitIfDue` is called.
    private static let longestWait = Duration.milliseconds(250)

    let voters: LMDBCursor
    let view: StoreView
    /// The trees of the last commit, which the pages to come are fetched from.
    let trees: MappedTrees?
    /// The load whose changes these are; nil after it. Their keys ascend, and most belong behind all that are there.
    let load: StoreLoad?
    private let pageSize: Int
    private let began = ContinuousClock.now
    private var answers = 0
    private var votes = 0
    private var questions = 0
    private var answerBytes = 0
    /// Pages that may be changed, as copies in memory.
    private var changedPages = 0
    /// Pages made behind all others.
    private var addedPages = 0

    init(_ database: borrowing StoreDatabase, load: StoreLoad?) throws(LMDBFailure) {
        let transaction = try LMDBTransaction(database.environment, isReadOnly: false)
        let trees = MappedTrees(transaction, database)
        let voters = try LMDBCursor(transaction, database.tables.voters)
        let view = try StoreView(transaction, database.tables)
        self.trees = trees
        self.voters = voters
        self.view = view
        self.load = load
        pageSize = database.environment.pageSize
    }

    consuming func commit() throws(LMDBFailure) { try view.commit() }

    private var pages: Int { changedPages + addedPages }

    /// Notes that a batch was written.
    /// - Parameter isAppended: its rows went behind all that were there.
    mutating func count(_ batch: TableBatch, _ tables: StoreTables, isAppended: Bool) {
        if isAppended {
            addedPages += (2 * batch.byteCount + 128 * batch.count) / pageSize + 1
            return
        }
        answers += batch.answers.count
        votes += batch.votes.count
        questions += batch.questions.count
        answerBytes += batch.byteCount
        // No more pages than changes (but for long values and the pages above), and no more than the tables have.
        changedPages =
            min(answers + answerBytes / pageSize, view.transaction.pages(of: tables.answers))
            + min(votes, view.transaction.pages(of: tables.voters))
            + min(votes, view.transaction.pages(of: tables.tallies))
            + (questions > 0 ? min(questions, view.transaction.pages(of: tables.questions)) : 0)
    }

    /// Whether nothing was written yet.
    var isEmpty: Bool { pages == 0 }

    var isOld: Bool { .now - began >= Self.longestWait }

    func isDue(limit: Int) -> Bool { pages * pageSize >= limit || isOld }

    /// The share of the map that the changes so far can have taken, in bytes: each page once, and as much again for pages that
    /// were split and given up.
    var mostBytes: Int { 4 * pages * pageSize }
}

extension StoreDatabase {
    /// Memory that one change takes at most, in bytes: a vote is on a page of the voters and on one of the tallies.
    var mostBytesOfChange: Int { 2 * environment.pageSize }

    /// Memory that a batch's changes may take before they are committed, in bytes. As many pages as changes, but no more than
    /// the tables have and will have.
    func memory(of batch: TableBatch, _ transaction: borrowing LMDBTransaction) -> Int {
        let pageSize = environment.pageSize
        let added = 2 * batch.byteCount / pageSize
        let (answers, votes) = (batch.answers.count, batch.votes.count)
        let pages =
            (answers > 0 ? min(answers + added / 2, transaction.pages(of: tables.answers) + added) : 0)
            + min(votes, transaction.pages(of: tables.voters) + added)
            + min(votes, transaction.pages(of: tables.tallies) + added)
            + min(batch.questions.count, transaction.pages(of: tables.questions) + added)
        return pages * pageSize
    }

    /// The share of the map that a batch can take, in bytes, with plenty to spare. Does not bound a batch that erases.
    func mostBytes(of batch: TableBatch) -> Int {
        1 << 20 + batch.count * 8 * environment.pageSize + 4 * batch.byteCount
    }
}
