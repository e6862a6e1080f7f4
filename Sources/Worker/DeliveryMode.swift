/// The output's guarantee after a crash.
package enum DeliveryMode: String, Sendable, CaseIterable {
    /// Outputs and consumed offsets are one Kafka transaction: a `read_committed` reader sees each event's effect once.
    case exactlyOnce = "exactly-once"
    /// Offsets are committed only after the broker acknowledged the outputs: a crash may repeat some, but loses none.
    case atLeastOnce = "at-least-once"
}
