/// Which librdkafka properties hold something that must not be shown.
enum SecretNames {
    static func contains(_ name: String) -> Bool {
        let name = name.lowercased()
        return ["password", "secret", "pem", "jaas", "sasl.username", "oauthbearer.config", "token", "key.location"]
            .contains { name.contains($0) }
    }
}
