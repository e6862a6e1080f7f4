import Histogram
import KafkaClient

/// The lane's report.
extension SourceLane {
    /// Publishes the lane's totals and times, and now and then its lags.
    /// - Parameter isLast: the lane has ended.
    func publishReport(isLast: Bool = false) {
        let now = ContinuousClock.now
        guard beginReport(isLast: isLast, at: now) else { return }
        let isLocating = !isLast && now - figures.located >= .milliseconds(200)
        if isLocating {
            figures.located = now
            note(consumer.takeThrottles(), follower.takeThrottles(), publisher.takeThrottles())
        }
        let lags = isLocating ? currentLags() : nil
        let sources = SourceFigures(
            partitions: partitions.keys.sorted(), index: isLast || !isBehind ? nil : indexProgress)
        watch.stand(isLast ? nil : standingWait)
        report.update { content in
            write(into: &content, isLast: isLast, at: now)
            content.sources = sources
            if let lags { content.lags = lags }
        }
        figures.removeSteps()
    }

    /// The wait that holds the lane up while it goes on turning; nil: there is none.
    private var standingWait: LaneWait? {
        if case .behind(let since, _) = indexState {
            return LaneWait(reason: .sourceIndex, since: since, cause: consumer.lastTrouble?.reason)
        }
        if let schemaWait {
            return LaneWait(reason: .schemaRegistry, since: schemaWait.since, cause: schemaWait.cause)
        }
        return figures.unassigned.map {
            LaneWait(reason: .assignment, since: $0, cause: consumer.lastTrouble?.reason)
        }
    }

    /// How much of the index topic is in the store.
    private var indexProgress: SourceFigures.IndexProgress? {
        guard case .behind(let since, _) = indexState else { return nil }
        let (done, all) = follower.progress
        return SourceFigures.IndexProgress(done: done, of: all, since: since)
    }

    private func currentLags() -> [PartitionLag] {
        partitions.map { place, progress in
            let end = consumer.cachedWatermarks(place)?.high ?? 0
            let next = progress.next ?? progress.committed
            return PartitionLag(place: place, records: max(0, end - (next ?? 0)), next: next)
        }
    }
}
