import Foundation
import Testing

@testable import Commands

@Suite struct SettingsReportTests {
    private func settings(_ kafka: [String] = [], environment: [String: String] = [:]) throws -> Settings {
        try SettingsReader.read(SettingsFlags(kafka: kafka), environment: environment)
    }

    @Test func secretsAreMasked() throws {
        let report = SettingsReport(
            settings: try settings(
                ["sasl.password=hunter2", "ssl.key.password=hunter2", "ssl.key.pem=hunter2"],
                environment: [
                    "REJOINDER_KAFKA_PROPERTIES_SASL_OAUTHBEARER_CONFIG": "hunter2",
                    "REJOINDER_KAFKA_PROPERTIES_SSL_KEYSTORE_PASSWORD": "hunter2",
                ]))
        for text in [report.yaml, report.json] {
            #expect(!text.contains("hunter2"))
            #expect(text.components(separatedBy: SettingsReport.mask).count == 6)
        }
    }

    @Test func everyKeyAndItsOriginIsShown() throws {
        let report = SettingsReport(
            settings: try settings(["linger.ms=5"], environment: ["REJOINDER_LANES": "3"]),
            workedOut: [.maxRecordBytes: "997952"],
            workerProperties: [.init(name: "session.timeout.ms", value: "10000", client: "group consumer")])
        for key in SettingKey.allCases {
            #expect(report.json.contains("\"\(key.path)\""))
            #expect(report.yaml.contains("\(key.components.last ?? ""):"))
        }
        let lines = report.yaml.split(separator: "\n")
        #expect(lines.contains { $0.contains("lanes: 3 ") && $0.hasSuffix("# REJOINDER_LANES") })
        #expect(lines.contains { $0.contains("linger.ms: 5 ") && $0.hasSuffix("# --kafka") })
        #expect(
            lines.contains {
                $0.contains("# session.timeout.ms: 10000 ") && $0.hasSuffix("# default, group consumer")
            })
        #expect(lines.contains { $0.hasPrefix("# maxRecordBytes: 997952 ") && $0.hasSuffix("# default") })
    }

    @Test func theOutputIsAConfigurationFile() throws {
        let odd = [
            "client.id=a: b # c", "client.rack=\"q\"\\ \u{e9}\t", "ssl.cipher.suites=- x",
        ]
        let first = try settings(
            odd, environment: ["REJOINDER_STORE_DIRECTORY": " x:y ", "REJOINDER_KAFKA_GROUP_ID": "~"])
        let directory = try TemporaryDirectory()
        let file = try directory.file(SettingsReport(of: first).yaml)
        let second = try SettingsReader.read(SettingsFlags(configFile: file), environment: [:])
        #expect(second.values.mapValues(\.text) == first.values.mapValues(\.text))
        #expect(second.kafkaProperties == first.kafkaProperties)
    }

    @Test func jsonIsJSON() throws {
        let report = SettingsReport(settings: try settings(["client.id=\"\u{1}\n\u{2028}"]))
        let object = try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: [String: Any]]
        #expect(object?["lanes"]?["value"] as? Int == 1)
        #expect(object?["lanes"]?["origin"] as? String == "default")
        #expect(object?["maxRecordBytes"]?["value"] is NSNull)
        let whole = SettingsReport(of: try settings(["session.timeout.ms=7000"]))
        let all = try JSONSerialization.jsonObject(with: Data(whole.json.utf8)) as? [String: [String: Any]]
        #expect(all?["kafka.properties.session.timeout.ms"]?["value"] as? String == "7000")
        #expect((all?["kafka.properties.linger.ms"]?["origin"] as? String)?.hasPrefix("default, ") == true)
        #expect(all?["maxRecordBytes"]?["value"] is Int)
        #expect(object?["kafka.properties.client.id"]?["value"] as? String == "\"\u{1}\n\u{2028}")
    }
}
