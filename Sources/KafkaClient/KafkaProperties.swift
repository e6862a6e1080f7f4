import CRDKafka

/// librdkafka properties by name, global and topic-level alike, passed through unchanged.
///
/// librdkafka's CONFIGURATION.md describes each.
package struct KafkaProperties: Sendable, Equatable {
    private var values: [String: String]

    /// - Parameter values: by name, not checked: librdkafka checks them when a client is made.
    package init(_ values: [String: String] = [:]) {
        self.values = values
    }

    /// A property under this name or an alias of it, as librdkafka knows them; nil removes it.
    package subscript(name: String) -> String? {
        get {
            if let value = values[name] { return value }
            let canonical = Self.canonicalName(name)
            return sorted.first { Self.canonicalName($0.name) == canonical }?.value
        }
        set {
            remove(canonical: Self.canonicalName(name))
            values[name] = newValue
        }
    }

    /// The names given, sorted.
    package var names: [String] { values.keys.sorted() }

    /// These properties with `other` laid over them: where both set a property, under any alias, `other` wins.
    package func overlaid(by other: KafkaProperties) -> KafkaProperties {
        var result = self
        for (name, value) in other.sorted { result[name] = value }
        return result
    }

    /// Sorted by name, secrets shown as `********`.
    package var masked: [(name: String, value: String)] {
        sorted.map { ($0.name, Self.isSecret($0.name) ? Self.mask : $0.value) }
    }

    /// Checks each property with librdkafka.
    ///
    /// - Throws: an error that names the first property that is unknown (with the nearest known name) or whose value
    ///   librdkafka refuses. It does not show a secret's value.
    package func check() throws(KafkaError) {
        rd_kafka_conf_destroy(try makeConfiguration())
    }

    /// The value that librdkafka would use, its default included; nil for an unknown name or a property without a
    /// value. A secret is masked.
    package func effectiveValue(_ name: String) -> String? {
        guard let configuration = try? makeConfiguration() else { return nil }
        defer { rd_kafka_conf_destroy(configuration) }
        let topic = rd_kafka_topic_conf_new()
        defer { rd_kafka_topic_conf_destroy(topic) }
        func read(_ get: (UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<Int>) -> rd_kafka_conf_res_t) -> String? {
            var size = 0
            guard get(nil, &size) == RD_KAFKA_CONF_OK, size > 0, size < 1 << 20 else { return nil }
            var text = [CChar](repeating: 0, count: size + 1)
            guard get(&text, &size) == RD_KAFKA_CONF_OK else { return nil }
            return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } }
        }
        let value =
            read { rd_kafka_conf_get(configuration, name, $0, $1) }
            ?? values[name]
            ?? read { rd_kafka_topic_conf_get(topic, name, $0, $1) }
        return value.map { Self.isSecret(name) && !$0.isEmpty ? Self.mask : $0 }
    }

    /// Whether a property's value must never be shown: those that librdkafka marks as sensitive, and all names that
    /// sound like a secret (a newer librdkafka or a plugin may have names that this list lacks).
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

    /// A librdkafka configuration with these properties. The caller owns it.
    func makeConfiguration() throws(KafkaError) -> OpaquePointer {
        guard let configuration = rd_kafka_conf_new() else {
            throw KafkaError(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, operation: "Making a Kafka configuration")
        }
        for (name, value) in sorted {
            if let reason = Self.refusal(of: name, value, by: configuration) {
                rd_kafka_conf_destroy(configuration)
                throw KafkaError(
                    RD_KAFKA_RESP_ERR__INVALID_ARG, operation: "Setting the Kafka property '\(name)'", reason: reason)
            }
        }
        return configuration
    }

    /// Sets one property; returns librdkafka's reason for refusing it, or nil when it is set.
    private static func refusal(of name: String, _ value: String, by configuration: OpaquePointer) -> String? {
        guard !name.utf8.contains(0), !value.utf8.contains(0) else { return "it has a zero byte in it" }
        var message = [CChar](repeating: 0, count: 512)
        switch rd_kafka_conf_set(configuration, name, value, &message, message.count) {
        case RD_KAFKA_CONF_OK:
            return nil
        case RD_KAFKA_CONF_UNKNOWN:
            let hint = PropertyCatalog.nearestName(to: name).map { "; did you mean '\($0)'?" } ?? ""
            return "librdkafka \(librdkafkaVersion) knows no such property\(hint)"
        default:
            // librdkafka's reason repeats the refused value.
            guard !isSecret(name) else { return "librdkafka refuses its value (not shown, since it is a secret)" }
            let reason = message.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
            return "librdkafka refuses its value '\(value)'\(reason.isEmpty ? "" : ": \(reason)")"
        }
    }

    /// The version of the librdkafka in use: "2.0.2".
    package static var librdkafkaVersion: String { String(cString: rd_kafka_version_str()) }

    private static func canonicalName(_ name: String) -> String { PropertyCatalog.aliases[name] ?? name }

    private static let mask = "********"

    /// Sorted by name, so that no outcome depends on a dictionary's order.
    private var sorted: [(name: String, value: String)] {
        values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    private mutating func remove(canonical: String) {
        for name in values.keys where Self.canonicalName(name) == canonical { values[name] = nil }
    }
}
