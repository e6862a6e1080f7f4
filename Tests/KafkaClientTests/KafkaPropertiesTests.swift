import KafkaClient
import Testing

@Suite struct KafkaPropertiesTests {
    @Test func everyRightPropertyPasses() throws {
        // Of each kind: for all clients, for producers, for consumers, of topics, aliases.
        try KafkaProperties([
            "bootstrap.servers": "127.0.0.1:9092", "linger.ms": "7", "fetch.min.bytes": "3", "acks": "all",
            "auto.offset.reset": "earliest", "message.timeout.ms": "1000", "sasl.password": "hush",
        ]).check()
    }

    @Test(arguments: [
        ("linger.mss", "linger.ms"), ("bootstrap.server", "bootstrap.servers"), ("fetch.min.byte", "fetch.min.bytes"),
        ("auto.offset.resett", "auto.offset.reset"), ("SASL.PASWORD", "sasl.password"),
    ])
    func unknownPropertyIsNamedWithTheNearest(_ wrong: String, _ right: String) throws {
        let error = try #require(throws: KafkaError.self) { try KafkaProperties([wrong: "1"]).check() }
        #expect(error.description.contains("'\(wrong)'"))
        #expect(error.description.contains("did you mean '\(right)'?"))
    }

    @Test func nothingIsSuggestedForWhatLooksLikeNothing() throws {
        let error = try #require(throws: KafkaError.self) {
            try KafkaProperties(["completely unlike any property": "1"]).check()
        }
        #expect(!error.description.contains("did you mean"))
    }

    @Test func badValueIsNamed() throws {
        let error = try #require(throws: KafkaError.self) { try KafkaProperties(["linger.ms": "soon"]).check() }
        #expect(error.description.contains("linger.ms"))
        #expect(error.description.contains("soon"))
    }

    @Test func zeroBytesAreRefused() {
        #expect(throws: KafkaError.self) { try KafkaProperties(["client.id": "a\0b"]).check() }
        #expect(throws: KafkaError.self) { try KafkaProperties(["client.id\0": "a"]).check() }
    }

    @Test(arguments: ["error_cb", "opaque"])
    func whatOnlyCodeCanSetIsAnError(_ name: String) {
        #expect(throws: KafkaError.self) { try KafkaProperties([name: "1"]).check() }
    }

    @Test(arguments: [
        "sasl.password", "sasl.username", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password",
        "sasl.oauthbearer.config", "sasl.oauthbearer.client.secret", "sasl.jaas.config", "SSL.KEY.PASSWORD",
    ])
    func secretsAreMasked(_ name: String) {
        #expect(KafkaProperties.isSecret(name))
        let masked = KafkaProperties([name: "hush"]).masked
        #expect(masked.map(\.name) == [name])
        #expect(masked.map(\.value) == ["********"])
    }

    @Test(arguments: ["bootstrap.servers", "linger.ms", "client.id", "ssl.ca.location", "security.protocol"])
    func othersAreShown(_ name: String) {
        #expect(KafkaProperties([name: "plain"]).masked.map(\.value) == ["plain"])
    }

    @Test func secretValueIsNotInTheError() throws {
        // librdkafka refuses the value, and repeats it in its message.
        let error = try #require(throws: KafkaError.self) {
            try KafkaProperties(["sasl.passwords": "hush-hush"]).check()
        }
        #expect(!error.description.contains("hush-hush"))
    }

    @Test func theUpperLayerWinsWhateverTheAlias() throws {
        let lower = KafkaProperties(["acks": "all", "client.id": "a"])
        let both = lower.overlaid(by: KafkaProperties(["request.required.acks": "1"]))
        #expect(both.names == ["client.id", "request.required.acks"])
        #expect(both["acks"] == "1")
        #expect(both.effectiveValue("acks") == "1")
    }

    @Test func effectiveValueKnowsDefaults() {
        let properties = KafkaProperties(["message.max.bytes": "5000"])
        #expect(properties.effectiveValue("message.max.bytes") == "5000")
        #expect(KafkaProperties().effectiveValue("message.max.bytes") == "1000000")
        #expect(KafkaProperties().effectiveValue("auto.offset.reset") == "largest")
        #expect(KafkaProperties().effectiveValue("no.such.property") == nil)
        #expect(KafkaProperties(["sasl.password": "hush"]).effectiveValue("sasl.password") == "********")
    }

    @Test func maskedIsSorted() {
        #expect(KafkaProperties(["b": "2", "a": "1", "c": "3"]).masked.map(\.name) == ["a", "b", "c"])
    }
}
