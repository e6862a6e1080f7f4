// Checks a store through LMDB's cursors, for versions with an unknown page format.
extension StoreInspection {
    static func readRows(of tables: [String], in directory: String) throws(StoreDamage) -> StoreMeta {
        let result: Result<StoreMeta, StoreDamage>
        do throws(LMDBFailure) {
            let environment = try LMDBEnvironment(reading: directory)
            let transaction = try LMDBTransaction(environment, isReadOnly: true)
            result = try readRows(of: tables, transaction)
        } catch {
            throw StoreDamage("LMDB cannot read its data file (\(error.text))")
        }
        return try result.get()
    }

    private static func readRows(
        of tables: [String], _ transaction: borrowing LMDBTransaction
    ) throws(LMDBFailure) -> Result<StoreMeta, StoreDamage> {
        var check = RowCheck()
        for name in tables {
            let cursor = try LMDBCursor(transaction, try transaction.table(name, isMade: false))
            var row = try cursor.first()
            while let (key, value) = row {
                do throws(StoreDamage) {
                    try check.take(key, value, of: name)
                } catch {
                    return .failure(error)
                }
                row = try cursor.next()
            }
        }
        return Result { () throws(StoreDamage) in try check.end(transactionID: transaction.id) }
    }
}
