import KafkaClient
import Logging
import Sources

/// Keeps the lane's index current: the records published for each row, by this lane and by others.
extension SourceLane {
    var isBehind: Bool { if case .behind = indexState { true } else { false } }

    /// Waits for the brokers as long as it takes.
    func startFollower() throws {
        while true {
            do {
                return try follower.start()
            } catch let error as KafkaError {
                if stop.isRequested { throw LaneFault.stopped }
                let fault = LaneFault(error)
                if fault.isLasting { throw fault }
                waitLog.note(error, logger: logger)
                rest(.milliseconds(200))
            }
        }
    }

    /// 1. Applies the index topic's new entries to the store, and publishes the votes whose answers came with them.
    func followIndex() throws {
        repeat {
            try follower.advance(wait: isBehind ? 20 : 0) { key, value in
                guard !isBehind, !partitions.isEmpty else { return }
                try translator.settle(afterIndexKey: key, value) { try publish($0, of: nil) }
                try publishIndexChanges()
            }
            try follower.settleFailure(logger)
            // The lane's own entries are in memory until the store has them: no more records before it has.
        } while index.unseen > Self.mostUnseen && follower.hasMore
        try catchUp()
    }

    private func catchUp() throws {
        guard case .behind(let since, let settled) = indexState else { return }
        let isSettled = try settled || (settleOffsets() && checkOffsets())
        indexState = .behind(since: since, settled: isSettled)
        guard isSettled, try follower.hasCaughtUp(patience: .seconds(1)) else {
            return waitLog.note(
                "waiting for the index of the sources", since: since, logger: logger,
                metadata: ["topic": "\(configuration.topics.sourceIndex)"])
        }
        indexState = .current
        indexPartitions = try index.placement(among: follower.partitionCount)
        schemaWait?.retry = .now
        try translator.settleAll { try publish($0, of: nil) }
        try publishIndexChanges()
        if schemaWait == nil { try resumeSkipped() }
        logger.info(
            "sources caught up",
            metadata: [
                "partitions": .stringConvertible(partitions.count),
                "seconds": .stringConvertible(((.now - since) / .milliseconds(1)).rounded() / 1000),
            ])
        report.note(.caughtUp, "the index of \(partitions.count) source partitions")
    }

    /// Asks for the committed offsets. An earlier owner's open transaction holds them back, and may add to the index.
    /// - Returns: whether no such transaction is open any more.
    private func settleOffsets() throws -> Bool {
        do throws(KafkaError) {
            let committed = try consumer.committedOffsets(Array(partitions.keys), timeout: .seconds(1))
            for (place, progress) in partitions where progress.next == nil {
                partitions[place]?.committed = committed[place]
            }
            follower.restartCatchUp()
            return true
        } catch {
            let fault = LaneFault(error)
            if fault.isLasting { throw fault }
            watch.note(error)
            return false
        }
    }

    /// Other lanes may have written to the index: no record is worked on until the store has caught up with it.
    func fallBehind() throws {
        index.forgetAll()
        let prefixes = Set(partitions.keys.map { SourceTranslator.rowPrefix(topic: $0.topic, partition: $0.partition) })
        translator.owns = { row in prefixes.contains(Array(row.prefix(SourceTranslator.rowPrefixLength))) }
        figures.isOutdated = true
        guard !partitions.isEmpty else {
            indexState = .current
            schemaWait = nil
            return
        }
        indexState = .behind(since: .now, settled: false)
        try pauseAll()
    }

    /// Drops the lane's own index entries from memory once the store has them from the topic.
    func forgetWhatTheStoreHasSeen() throws {
        guard !isBehind else { return }
        if index.isForgetting {
            if try follower.hasCaughtUp(patience: .milliseconds(250)) { index.finishForgetting() }
        } else if index.unseen > 0, !publisher.hasUncommitted, .now - forgot >= .seconds(1) {
            forgot = .now
            index.beginForgetting()
            follower.restartCatchUp()
        }
    }
}
