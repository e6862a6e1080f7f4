import KafkaClient
import Logging
import SchemaRegistry
import Sources
import Worker

/// Checks that the sources' topics exist and that their newest records map.
struct SourceCheck {
    let configuration: WorkerConfiguration
    let logger: Logger

    /// Number of newest records checked in each topic.
    private static let sample = 20

    func run(_ report: (CheckResult) -> Void, _ left: (Duration) -> Duration) {
        let registry = configuration.registry.map { RegistryClient($0) }
        if let registry { report(judge(registry)) }
        let translator = SourceTranslator(configuration.sources, index: SourceIndex(), schemas: registry)
        for topic in translator.topics {
            do {
                report(try judge(topic, translator, patience: left(.seconds(3))))
            } catch let outage as RegistryOutage {
                report(
                    .fail(
                        "source \(topic)", "its records cannot be read: \(outage)",
                        "see that the schema registry runs, and the settings under registry:"))
            } catch let error as KafkaError where error.isAuthorization {
                report(
                    .fail("source \(topic)", "cannot be read: \(error)", "let the worker's user read the topic"))
            } catch {
                report(.warn("source \(topic)", "cannot be read: \(error)", "see that its brokers run, and try again"))
            }
        }
    }

    private func judge(_ registry: RegistryClient) -> CheckResult {
        do throws(RegistryOutage) { try registry.check() } catch {
            return .fail(
                "schema registry", "cannot be used: \(error)", "see that it runs, and the settings under registry:")
        }
        return .ok("schema registry", "answers")
    }

    private func judge(
        _ topic: String, _ translator: SourceTranslator, patience: Duration
    ) throws -> CheckResult {
        var tally = SourceTrial.Tally()
        // Columns that every row lacks: a column added later is missing only in older rows.
        var missing: [MappingPart: Set<MissingColumn>] = [:]
        var unmet: [String] = []
        var doubtful: [[String]] = []
        let reader = SourceSample(configuration: configuration, logger: logger)
        guard
            let count = try reader.read(
                topic, count: Self.sample, patience: patience,
                { record in
                    tally.note(try SourceTrial.translate(record, of: topic, translator))
                    missing.merge(SourceTrial.missingColumns(record, of: topic, translator)) { $0.intersection($1) }
                    unmet = SourceTrial.unmetConditions(record, of: topic, translator)
                    doubtful.append(SourceTrial.doubtfulValues(record, of: topic, translator))
                })
        else {
            return .fail(
                "source \(topic)", "does not exist", "name another topic under sources, or see that its connector runs")
        }
        if count == 0 { return .ok("source \(topic)", "holds no record yet") }
        let finding = "of the newest \(count) records \(tally.text)"
        var amiss =
            [tally.firstFailure].compactMap(\.self) + Set(missing.values.flatMap { $0.map(\.sentence) }).sorted()
        // Single rows may be no source's, or of an unlikely time; not all of them.
        if tally.passedOver == count { amiss += unmet }
        if doubtful.allSatisfy({ !$0.isEmpty }) { amiss += doubtful.first ?? [] }
        guard !amiss.isEmpty else { return .ok("source \(topic)", finding) }
        return .warn(
            "source \(topic)", "\(finding): \(Printable.text(amiss.joined(separator: "; "), limit: 800))",
            "see 'rejoinder sources try --topic \(topic)' for records and results side by side")
    }
}
