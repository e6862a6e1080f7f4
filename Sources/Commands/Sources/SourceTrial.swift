import Bytes
import Foundation
import Sources

/// Translates a source's record without publishing the result.
enum SourceTrial {
    enum Result {
        case records([ContractRecord])
        case passedOver
        case waiting
        case refused(String)
    }

    /// Counts of results by kind.
    struct Tally {
        var mapped = 0
        var passedOver = 0
        var waiting = 0
        var refused = 0
        var firstFailure: String?

        mutating func note(_ result: Result) {
            switch result {
            case .records: mapped += 1
            case .passedOver: passedOver += 1
            case .waiting: waiting += 1
            case .refused(let reason):
                refused += 1
                if firstFailure == nil { firstFailure = reason }
            }
        }

        var text: String {
            var parts = ["\(mapped) map"]
            if passedOver > 0 { parts.append("\(passedOver) are no source's") }
            if waiting > 0 { parts.append("\(waiting) wait for their answers") }
            if refused > 0 { parts.append("\(refused) are refused") }
            return parts.joined(separator: ", ")
        }
    }

    /// - Throws: `RegistryOutage`, when the record's schema cannot be had.
    static func translate(
        _ record: SourceSample.Record, of topic: String, _ translator: SourceTranslator
    ) throws(RegistryOutage) -> Result {
        var records: [ContractRecord] = []
        do {
            let outcome = try Bytes.lend(optional: record.key) { key in
                try Bytes.lend(optional: record.value) { value in
                    try translator.translate(
                        topic: topic, partition: record.partition, key: key, value: value, headers: record.headers
                    ) { records.append($0) }
                }
            }
            switch outcome {
            case .mapped: return .records(records)
            case .passedOver: return .passedOver
            case .waiting: return .waiting
            }
        } catch let outage as RegistryOutage {
            throw outage
        } catch {
            return .refused("\(error)")
        }
    }

    /// Columns that the mappings name and the record's row lacks; see
    /// ``SourceTranslator/missingColumns(topic:value:headers:)``.
    static func missingColumns(
        _ record: SourceSample.Record, of topic: String, _ translator: SourceTranslator
    ) -> [MappingPart: Set<MissingColumn>] {
        Bytes.lend(optional: record.value) {
            translator.missingColumns(topic: topic, value: $0, headers: record.headers)
        }
    }

    /// The reasons why no source takes a record's row; see
    /// ``SourceTranslator/unmetConditions(topic:value:headers:)``.
    static func unmetConditions(
        _ record: SourceSample.Record, of topic: String, _ translator: SourceTranslator
    ) -> [String] {
        Bytes.lend(optional: record.value) {
            translator.unmetConditions(topic: topic, value: $0, headers: record.headers)
        }
    }

    /// Times whose unit may be another one, and ids that are texts; see
    /// ``SourceTranslator/doubtfulUnits(topic:value:headers:)`` and
    /// ``SourceTranslator/doubtfulIDs(topic:value:headers:)``.
    static func doubtfulValues(
        _ record: SourceSample.Record, of topic: String, _ translator: SourceTranslator
    ) -> [String] {
        Bytes.lend(optional: record.value) {
            translator.doubtfulUnits(topic: topic, value: $0, headers: record.headers)
                + translator.doubtfulIDs(topic: topic, value: $0, headers: record.headers)
        }
    }

    /// A record as people can read it.
    static func readable(
        _ record: SourceSample.Record, of topic: String, _ translator: SourceTranslator
    ) -> SourceSample.Record {
        let readable = Bytes.lend(optional: record.key) { key in
            Bytes.lend(optional: record.value) { value in
                translator.readable(topic: topic, key: key, value: value, headers: record.headers)
            }
        }
        guard let readable else { return record }
        var shown = record
        (shown.key, shown.value) = readable
        return shown
    }
}
