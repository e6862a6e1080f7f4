import AnswerStore
import Enrichment
import Records
import Synchronization

/// The outcome that a question event would have now.
package enum Preview: Sendable, Equatable {
    /// The enriched value, byte for byte.
    case enriched([UInt8])
    /// A dead letter: the code, then field and reason.
    case refused(RecordErrorCode, String)
    /// No lane of this worker has the partition.
    case notOwned
    /// The partition's answers and votes are not restored yet.
    case restoring
    /// The lane is held up, or has too many requests.
    case busy
}

/// A preview that a lane is asked for. The first answer counts: the lane's, or the timeout's.
final class PreviewRequest: Sendable {
    private enum State {
        case new
        case waiting(CheckedContinuation<Preview, Never>)
        case answered(Preview)
    }

    let key: [UInt8]
    let value: [UInt8]
    let partition: Int32
    private let state = Mutex(State.new)

    init(key: [UInt8], value: [UInt8], partition: Int32) {
        self.key = key
        self.value = value
        self.partition = partition
    }

    var isAnswered: Bool {
        state.withLock { if case .answered = $0 { true } else { false } }
    }

    func answer(_ preview: Preview) {
        let waiting = state.withLock { state -> CheckedContinuation<Preview, Never>? in
            switch state {
            case .answered: return nil
            case .new:
                state = .answered(preview)
                return nil
            case .waiting(let continuation):
                state = .answered(preview)
                return continuation
            }
        }
        waiting?.resume(returning: preview)
    }

    /// Waits for the answer; called once.
    func answer() async -> Preview {
        await withCheckedContinuation { continuation in
            let answered = state.withLock { state -> Preview? in
                if case .answered(let preview) = state { return preview }
                state = .waiting(continuation)
                return nil
            }
            if let answered { continuation.resume(returning: answered) }
        }
    }
}

/// Preview requests to a lane from other threads. The lane looks in once a step; an empty inbox costs it one load of an
/// atomic.
final class PreviewInbox: Sendable {
    private enum State {
        /// The lane does not run.
        case closed
        case open([PreviewRequest])
    }

    /// Limit of waiting requests.
    static let capacity = 32

    private let state = Mutex(State.closed)
    private let hasMail = Atomic(false)

    func open() {
        state.withLock { state in
            if case .closed = state { state = .open([]) }
        }
    }

    /// Answers the waiting requests. Later ones are answered at once.
    func close() {
        for request in take(andClose: true) { request.answer(.notOwned) }
    }

    func post(_ request: PreviewRequest) {
        let refusal = state.withLock { state -> Preview? in
            guard case .open(var requests) = state else { return .notOwned }
            // Requests that have timed out no longer count.
            requests.removeAll(where: \.isAnswered)
            let isFull = requests.count >= Self.capacity
            if !isFull { requests.append(request) }
            state = .open(requests)
            return isFull ? .busy : nil
        }
        if let refusal { return request.answer(refusal) }
        hasMail.store(true, ordering: .relaxed)
    }

    /// Whether ``take()`` would find nothing. Relaxed: a request seen a step later is early enough.
    var isEmpty: Bool { !hasMail.load(ordering: .relaxed) }

    /// Takes the waiting requests. Lane thread only.
    func take() -> [PreviewRequest] { take(andClose: false) }

    private func take(andClose: Bool) -> [PreviewRequest] {
        state.withLock { state in
            hasMail.store(false, ordering: .relaxed)
            guard case .open(let requests) = state else { return [] }
            state = andClose ? .closed : .open([])
            return requests
        }
    }
}

extension Lane {
    /// Answers the requests since the last step, between two steps: the stores then hold the answers that the next
    /// event would be enriched with.
    func answerPreviews() {
        guard !previews.isEmpty else { return }
        for request in previews.take() where !request.isAnswered { request.answer(preview(request)) }
    }

    private func preview(_ request: PreviewRequest) -> Preview {
        guard let partition = partitions[request.partition] else {
            return takeOvers.contains { $0.number == request.partition } ? .restoring : .notOwned
        }
        guard partition.isRunning else { return .restoring }
        return request.key.withUnsafeBytes { key in
            request.value.withUnsafeBytes { value in
                let limit = limits.longestValue(keyBytes: key.count, headerRoom: 0)
                do throws(StoreError) {
                    return
                        switch try processor.process(
                            key: key, value: value, store: partition.store, limit: limit)
                    {
                    case .enriched(let bytes, _, _): .enriched(Array(bytes))
                    case .refused(let error): .refused(error.code, error.message)
                    // Only a null value deletes a question.
                    case .deleted: .busy
                    }
                } catch {
                    // The next event or commit meets the store's error, and ends the worker with its sentence.
                    return .busy
                }
            }
        }
    }
}

extension WorkerService {
    /// Limit of a preview's wait for its lane.
    static let previewPatience = Duration.seconds(5)

    /// The outcome that a question event of these bytes, without headers, would have now, from the lane that owns the
    /// partition. From any thread; waits for 5 s at most.
    package func preview(key: [UInt8], value: [UInt8], partition: Int32) async -> Preview {
        await preview(key: key, value: value, partition: partition, patience: Self.previewPatience)
    }

    func preview(key: [UInt8], value: [UInt8], partition: Int32, patience: Duration) async -> Preview {
        let owner = questionReports.firstIndex { report in
            let content = report.current
            return content.partitions.contains(partition) || content.restoring.contains(partition)
        }
        guard let owner else { return .notOwned }
        let request = PreviewRequest(key: key, value: value, partition: partition)
        inboxes[owner].post(request)
        let timer = Task {
            try? await Task.sleep(for: patience)
            request.answer(.busy)
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await request.answer()
        } onCancel: {
            request.answer(.busy)
        }
    }
}
