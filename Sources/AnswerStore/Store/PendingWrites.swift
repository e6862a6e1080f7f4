import CLMDB

/// The write transaction that stays open from batch to batch, and how much is in it.
///
/// Pages that it changed are copies in LMDB's memory until the commit, one for each page, however often it is changed: the
/// longer it stays open the less a change costs, and the more memory it takes.
struct PendingWrites {
    /// How long a change waits for its commit at most, while anything is applied or `commitIfDue` is called.
    private static let longestWait = Duration.milliseconds(250)

    let view: StoreView
    let voters: OpaquePointer
    private let began = ContinuousClock.now
    private var answers = 0
    private var votes = 0
    private var answerBytes = 0
    /// Pages that may be changed, as copies in memory.
    private var changedPages = 0
    /// Pages made behind all others.
    private var addedPages = 0
    /// Rows come in order of their keys, and most of them behind all that are there.
    let isLoad: Bool

    init(_ transaction: OpaquePointer, _ environment: LMDBEnvironment, isLoad: Bool) throws(LMDBFailure) {
        self.isLoad = isLoad
        view = try StoreView(transaction, answers: environment.answers, tallies: environment.tallies)
        voters = try LMDBEnvironment.openCursor(transaction, environment.voters)
    }

    private var pages: Int { changedPages + addedPages }

    /// Notes that a batch was written.
    /// - Parameter isAppended: its rows went behind all that were there.
    mutating func count(_ batch: TableBatch, _ environment: LMDBEnvironment, isAppended: Bool) {
        if isAppended {
            addedPages += (2 * batch.byteCount + 128 * batch.count) / StoreView.pageSize + 1
            return
        }
        answers += batch.answers.count
        votes += batch.votes.count
        answerBytes += batch.byteCount
        // No more pages than changes (but for long values and the pages above), and no more than the tables have.
        changedPages =
            min(answers + answerBytes / StoreView.pageSize, view.pages(of: environment.answers))
            + min(votes, view.pages(of: environment.voters)) + min(votes, view.pages(of: environment.tallies))
    }

    var isOld: Bool { .now - began >= Self.longestWait }

    func isDue(limit: Int) -> Bool { pages * StoreView.pageSize >= limit || isOld }

    /// A vote is on a page of the voters and on one of the tallies.
    static let mostBytesOfChange = 2 * StoreView.pageSize

    /// Memory that a batch's changes may take before they are committed, in bytes. As many pages as changes, but no more than
    /// the tables have and will have.
    static func memory(of batch: TableBatch, _ view: StoreView, _ environment: LMDBEnvironment) -> Int {
        let added = 2 * batch.byteCount / StoreView.pageSize
        let (answers, votes) = (batch.answers.count, batch.votes.count)
        let pages =
            (answers > 0 ? min(answers + added / 2, view.pages(of: environment.answers) + added) : 0)
            + min(votes, view.pages(of: environment.voters) + added)
            + min(votes, view.pages(of: environment.tallies) + added)
        return pages * StoreView.pageSize
    }

    /// Puts a row; behind all others if it belongs there, which saves searching its place (MDB_APPEND).
    @inline(__always)
    func put(
        _ cursor: OpaquePointer, _ key: inout MDB_val, _ value: inout MDB_val, _ flags: Int32
    ) -> Int32 {
        if isLoad {
            // It says so where the key is not behind all others, and has done nothing then.
            let code = mdb_cursor_put(cursor, &key, &value, UInt32(flags | MDB_APPEND))
            if code != MDB_KEYEXIST { return code }
        }
        return mdb_cursor_put(cursor, &key, &value, UInt32(flags))
    }

    /// What the changes so far can have taken of the map: each page once, and as much again for what was split and given up.
    var mostBytes: Int { 4 * pages * StoreView.pageSize }

    /// What a batch can take of the map, with plenty to spare. Batches that erase are not bounded by it.
    static func mostBytes(of batch: TableBatch) -> Int {
        1 << 20 + batch.count * 8 * StoreView.pageSize + 4 * batch.byteCount
    }
}
