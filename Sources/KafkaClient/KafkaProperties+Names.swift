import CRDKafka

extension KafkaProperties {
    /// Other names that librdkafka takes for the same property, so that one layer's `acks` is replaced by
    /// another layer's `request.required.acks` rather than fighting with it.
    private static let aliases: [String: String] = [
        "bootstrap.servers": "metadata.broker.list",
        "max.in.flight": "max.in.flight.requests.per.connection",
        "sasl.mechanism": "sasl.mechanisms",
        "max.partition.fetch.bytes": "fetch.message.max.bytes",
        "linger.ms": "queue.buffering.max.ms",
        "retries": "message.send.max.retries",
        "compression.type": "compression.codec",
        "acks": "request.required.acks",
        "delivery.timeout.ms": "message.timeout.ms",
        "auto.commit.enable": "enable.auto.commit",
    ]

    static func canonicalName(_ name: String) -> String { aliases[name] ?? name }

    /// Every name that the installed librdkafka takes, aliases included.
    static func knownNames() -> Set<String> {
        var names = Set(aliases.keys)
        func collect(_ dump: UnsafeMutablePointer<UnsafePointer<CChar>?>?, _ count: Int) {
            guard let dump else { return }
            // The dump alternates names and values.
            for index in stride(from: 0, to: count, by: 2) {
                if let name = dump[index] { names.insert(String(cString: name)) }
            }
            rd_kafka_conf_dump_free(dump, count)
        }
        var count = 0
        let global = rd_kafka_conf_new()
        collect(rd_kafka_conf_dump(global, &count), count)
        rd_kafka_conf_destroy(global)
        let topic = rd_kafka_topic_conf_new()
        collect(rd_kafka_topic_conf_dump(topic, &count), count)
        rd_kafka_topic_conf_destroy(topic)
        // Set by code only, never by name.
        return names.filter { !$0.hasSuffix("_cb") && !["opaque", "interceptors", "enabled_events"].contains($0) }
    }

    /// The known name that looks most like `name`, when one does.
    static func nearestName(to name: String) -> String? {
        // An upper-case name is most often the right one in the wrong case.
        let wanted = Array(name.lowercased().utf8.prefix(100))
        var best: (name: String, distance: Int)?
        for candidate in knownNames().sorted() {
            let distance = editDistance(wanted, Array(candidate.utf8))
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        guard let best, best.distance <= max(2, wanted.count / 3) else { return nil }
        return best.name
    }

    /// Levenshtein's distance between two names.
    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let substituted = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, diagonal + 1, row[j] + 1)
            }
        }
        return row[right.count]
    }

    /// Whether a property's value must never be shown: those that librdkafka marks as sensitive, and
    /// whatever else sounds like it (a newer librdkafka or a plugin may have names that we do not know).
    package static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        let marked: Set = [
            "ssl.key.location", "ssl.key.password", "ssl.key.pem", "ssl_key", "ssl.ca.pem", "ssl.keystore.password",
            "sasl.username", "sasl.password", "sasl.oauthbearer.config", "sasl.jaas.config",
        ]
        if marked.contains(name) { return true }
        return ["password", "passphrase", "secret", "jaas", "private.key", "key.pem", "credential"]
            .contains { name.contains($0) }
    }
}
