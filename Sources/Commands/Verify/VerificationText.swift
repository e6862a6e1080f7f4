import Recording
import Worker

/// A verification's report as sentences for people.
enum VerificationText {
    /// The number of findings shown in full.
    private static let shown = 20

    static func lines(_ report: VerificationReport, delivery: DeliveryMode) -> [String] {
        typealias Report = ClusterReplayReport
        var lines = report.findings.prefix(shown).flatMap { finding in
            [Printable.text(finding.title, limit: 600)] + finding.lines.map { "  " + Printable.text($0, limit: 600) }
        }
        let total = VerificationFault.allCases.reduce(0) { $0 + report[$1] }
        if total > min(shown, report.findings.count) {
            lines.append("and \(total - min(shown, report.findings.count)) more")
        }
        let faults = VerificationFault.allCases.map { "\(report[$0]) \($0.rawValue)" }.joined(separator: ", ")
        lines.append(
            "\(report.wasStopped ? "stopped: " : "")\(Report.count(report.events, "event")): "
                + "\(Report.count(report.records, "enriched record")), "
                + "\(Report.count(report.deadLetters, "dead letter")); \(report.remade) made again with "
                + "\(Report.count(report.tableRecords, "table record")) in \(Report.time(report.elapsed)): \(faults)")
        if report[.doubled] > 0, delivery == .atLeastOnce {
            lines.append("delivery is at-least-once, which allows doubled records")
        }
        for reason in UnjudgedReason.allCases where report[reason] > 0 {
            lines.append("not judged: \(Report.count(report[reason], "record")) that \(reason.text)")
        }
        return lines
    }
}
