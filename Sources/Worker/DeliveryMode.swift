/// What a crash may do to the output.
package enum DeliveryMode: String, Sendable, CaseIterable {
    /// Outputs and consumed offsets are one Kafka transaction: a `read_committed` reader sees each event's effect once.
    case exactlyOnce = "exactly-once"
    /// Offsets are committed only after the broker acknowledged the outputs: a crash may repeat some, never lose one.
    case atLeastOnce = "at-least-once"
}
