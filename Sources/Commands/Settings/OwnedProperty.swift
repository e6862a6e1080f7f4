/// librdkafka properties that the worker must decide itself. Setting one is an error that names the alternative:
/// ignoring the property would mislead the user, and passing it on would lose, double or misplace records.
struct OwnedProperty: Sendable {
    let advice: String
    /// The one value that changes nothing and is accepted.
    var acceptedValue: String?

    static func of(_ name: String) -> OwnedProperty? { table[name] }

    static var names: [String] { table.keys.sorted() }

    private static let table: [String: OwnedProperty] = [
        "bootstrap.servers": OwnedProperty(advice: "use kafka.bootstrapServers (--bootstrap-servers)"),
        "metadata.broker.list": OwnedProperty(advice: "use kafka.bootstrapServers (--bootstrap-servers)"),
        "group.id": OwnedProperty(advice: "use kafka.groupId (--group-id)"),
        "group.instance.id": OwnedProperty(
            advice: "use kafka.staticMembership: the worker's identity is the group instance id"),
        "transactional.id": OwnedProperty(advice: "the worker makes it from its identity, one for each lane"),
        "enable.auto.commit": OwnedProperty(
            advice: "the worker commits offsets with the records that it published", acceptedValue: "false"),
        "auto.commit.enable": OwnedProperty(
            advice: "the worker commits offsets with the records that it published", acceptedValue: "false"),
        "enable.auto.offset.store": OwnedProperty(
            advice: "the worker commits offsets with the records that it published", acceptedValue: "false"),
        "enable.idempotence": OwnedProperty(
            advice: "both ways of delivery need the idempotent producer", acceptedValue: "true"),
        "enable.partition.eof": OwnedProperty(advice: "the worker sets it where it reads to the end of a topic"),
        "isolation.level": OwnedProperty(
            advice: "records and offsets of a transaction count only once it is committed",
            acceptedValue: "read_committed"),
        "partitioner": OwnedProperty(
            advice: "keys are placed as Java clients place them, or questions and answers would not meet",
            acceptedValue: "murmur2_random"),
    ]
}
