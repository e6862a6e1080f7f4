import Logging
import Sources

/// Likely mistakes in the mappings, told as soon as the topics' first records show them.
extension SourceLane {
    func logFindings() {
        for finding in translator.takeFindings() {
            var metadata: Logger.Metadata = ["topic": "\(finding.topic)", "file": "\(finding.file)"]
            if let line = finding.line { metadata["line"] = .stringConvertible(line) }
            switch finding.kind {
            case .missing(let column, _, let rows):
                metadata["key"] = "\(column.key)"
                metadata["column"] = "\(column.column)"
                metadata["nearest"] = "\(column.nearest)"
                metadata["effect"] = "\(column.effect.rawValue)"
                metadata["rows"] = .stringConvertible(rows)
                logger.warning("no row has a column that the configuration names", metadata: metadata)
            case .refused(let reason, let records):
                metadata["reason"] = "\(reason)"
                metadata["records"] = .stringConvertible(records)
                logger.warning("no record of a source can be mapped", metadata: metadata)
            }
        }
    }
}
