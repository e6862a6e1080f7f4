/// The write transaction shared by consecutive batches, and an estimate of its size.
///
/// LMDB keeps one copy in memory of each changed page until the commit, however often it changes. So the longer the
/// transaction stays open, the less a change costs and the more memory the transaction takes. Aborted at the end of its
/// life unless committed.
struct PendingWrites: ~Copyable {
    let voters: LMDBCursor
    let view: StoreView
    /// The last commit's trees, for prefetching the pages of later lookups.
    let trees: MappedTrees?
    /// The load that these changes come from; nil outside loads. A load's keys ascend, and most come after all existing
    /// ones.
    let load: StoreLoad?
    private let pageSize: Int
    private let began = ContinuousClock.now
    private var answers = 0
    private var votes = 0
    private var questions = 0
    private var answerBytes = 0
    /// Pages possibly changed, as copies in memory.
    private var changedPages = 0
    /// Pages appended at the end of the trees.
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

    /// Counts a written batch.
    /// - Parameter isAppended: the rows came after all existing ones.
    mutating func count(_ batch: TableBatch, _ tables: StoreTables, isAppended: Bool) {
        if isAppended {
            addedPages += (2 * batch.byteCount + 128 * batch.count) / pageSize + 1
            return
        }
        answers += batch.answers.count
        votes += batch.votes.count
        questions += batch.questions.count
        answerBytes += batch.byteCount
        // At most one page per change, plus the pages of long values, and at most the tables' pages. Branch pages are
        // not counted.
        changedPages =
            min(answers + answerBytes / pageSize, view.transaction.pages(of: tables.answers))
            + min(votes, view.transaction.pages(of: tables.voters))
            + min(votes, view.transaction.pages(of: tables.tallies))
            + (questions > 0 ? min(questions, view.transaction.pages(of: tables.questions)) : 0)
    }

    /// Whether nothing has been written.
    var isEmpty: Bool { pages == 0 }

    func isOld(longestWait: Duration) -> Bool { .now - began >= longestWait }

    func isDue(limit: Int, longestWait: Duration) -> Bool {
        pages * pageSize >= limit || isOld(longestWait: longestWait)
    }

    /// An upper bound of the map space that the changes have taken, in bytes. It allows for pages split and abandoned.
    var mostBytes: Int { 4 * pages * pageSize }
}

extension StoreDatabase {
    /// The memory of one change in bytes, long values aside: a vote changes a page of the voters and one of the
    /// tallies.
    var mostBytesOfChange: Int { 2 * environment.pageSize }

    /// The memory that a batch's changes may take before they are committed, in bytes: one page per change, but at most
    /// the tables' pages, those to be added included.
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

    /// A generous upper bound of the map space that a batch takes, in bytes. Not valid for a batch with erasures.
    func mostBytes(of batch: TableBatch) -> Int {
        1 << 20 + batch.count * 8 * environment.pageSize + 4 * batch.byteCount
    }
}
