import KafkaClient
import Logging
import Recording
import Worker

/// Publishes the records of a source, placed by key as Java clients place them.
struct Loader {
    let topic: String
    let check: LineCheck
    let properties: KafkaProperties
    let delivery: ClusterOutput.Delivery
    let stop: StopSignal
    let logger: Logger

    /// - Parameter progress: called once in 1,000 records with the records and bytes of the file queued so far.
    /// - Returns: the records that the brokers acknowledged: all of the source's, unless it was stopped.
    /// - Throws: ``PublishFailure``, with the records that are published for certain; before that ``CommandFailure`` or
    ///   `KafkaError`.
    func run(_ source: LoadSource, progress: (_ records: Int, _ bytes: Int) -> Void) throws -> Int {
        let output = try ClusterOutput(
            properties: properties, delivery: delivery, clientID: "rejoinder-load", stop: stop, logger: logger)
        defer { output.close() }
        let handle = try output.topic(topic)
        do {
            _ = try check.run(source) { key, value, done in
                guard !stop.isRequested else { throw Stopped() }
                _ = try output.publish(
                    to: handle, partition: nil, key: key, value: value, timestamp: nil, headers: [])
                if output.published % 1_000 == 0 { progress(output.published, done) }
            }
        } catch is Stopped {
        } catch {
            if !(error is PublishFailure) { output.endEarly { _ in } }
            throw error
        }
        try output.finish()
        progress(output.published, stop.isRequested ? 0 : source.size)
        return output.certain
    }

    private struct Stopped: Error {}
}
