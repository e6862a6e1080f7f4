import CRDKafka
import Dispatch
import Synchronization

/// Takes events off a producer's queue on a thread of its own, while the producer's thread stands in a call of librdkafka
/// that does not return before they are read: an abort drops records, and each makes a report.
///
/// `@unchecked Sendable`: `taken` is written by the reading thread until it signals `ended`, and read only after that.
final class ReportReader: @unchecked Sendable {
    private let queue: OpaquePointer
    private let isStopped = Atomic(false)
    private let ended = DispatchSemaphore(value: 0)
    private var taken: [OpaquePointer] = []

    /// Starts to read. - Parameter queue: outlives the reader.
    init(queue: OpaquePointer) {
        self.queue = queue
        DispatchQueue(label: "rejoinder.kafka.reports").async { self.read() }
    }

    /// Ends the reading.
    /// - Returns: the events that are no delivery reports, in order; the caller destroys them.
    func finish() -> [OpaquePointer] {
        isStopped.store(true, ordering: .releasing)
        ended.wait()
        return taken
    }

    private func read() {
        while !isStopped.load(ordering: .acquiring) {
            guard let event = rd_kafka_queue_poll(queue, 10) else { continue }
            if rd_kafka_event_type(event) == Int32(RD_KAFKA_EVENT_DR) {
                rd_kafka_event_destroy(event)
            } else {
                taken.append(event)
            }
        }
        ended.signal()
    }
}
