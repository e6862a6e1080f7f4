import Testing

@testable import SchemaRegistry

@Suite struct RegistryAnswerTests {
    private func answer(_ text: String) -> RegistryAnswer? { RegistryAnswer(Array(text.utf8)) }

    @Test func aSchemaHasATypeAndReferences() {
        #expect(
            answer(#"{"schema":"\"string\"","guid":"x"}"#)
                == .schema(.init(type: "AVRO", text: "\"string\"", references: [])))
        #expect(
            answer(#"{"schemaType":"JSON","schema":"{}","references":[{"name":"n","subject":"s","version":2}]}"#)
                == .schema(.init(type: "JSON", text: "{}", references: [.init(subject: "s", version: "2")])))
    }

    @Test(arguments: [40401, 40402, 40403]) func aRegistrySaysThatItHasNone(code: Int) {
        #expect(answer(#"{"error_code":\#(code),"message":"not found"}"#) == .unknown)
    }

    @Test(arguments: [
        "", "{}", "[]", "\"x\"", "<html>", #"{"error_code":404,"message":"HTTP 404 Not Found"}"#, #"{"schema":{}}"#,
        #"{"schema":"x""#, #"{"schema":"x","references":[{"subject":"s"}]}"#,
        #"{"schema":"x","references":[{"subject":"s","version":"../../x"}]}"#,
    ])
    func whatNoRegistrySaysIsNoAnswer(text: String) { #expect(answer(text) == nil) }
}

@Suite struct RegistryAddressTests {
    @Test(arguments: [
        "https://registry.example:8081", "http://a/ccompat/v7", " http://a:1/ , https://b:2//", "http://[::1]:8081",
    ])
    func addressesAre(text: String) { #expect(RegistryConfiguration.problem(ofAddresses: text) == nil) }

    @Test(arguments: [
        "", ",", "registry:8081", "ftp://a", "http://", "https://user:secret@a", "http://a?x=1", "http://a/#b",
        "http://a b", "http://a, b", "https://a/x@secret",
    ])
    func othersAreNot(text: String) {
        let problem = RegistryConfiguration.problem(ofAddresses: text)
        #expect(problem != nil)
        #expect(problem?.contains("secret") != true)
    }

    @Test func slashesAndSpacesGo() {
        #expect(RegistryConfiguration.addresses(" http://a:1/ , https://b:2//") == ["http://a:1", "https://b:2"])
        #expect(RegistryClient.escaped(":.ctx:a/b \u{e4}-_.~") == "%3A.ctx%3Aa%2Fb%20%C3%A4-_.~")
    }
}
