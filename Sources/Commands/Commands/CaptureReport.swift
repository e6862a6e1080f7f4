import Bytes
import Recording

/// The messages of `rejoinder record`.
enum CaptureReport {
    /// "120000 records, 54.2 MB, 81000 records/s, 40%, 12 s left"
    static func progress(_ progress: CaptureProgress, after elapsed: Duration) -> String {
        let seconds = elapsed / .seconds(1)
        let rate = seconds > 0 ? Double(progress.records) / seconds : 0
        var text = "\(progress.records) records, \(size(progress.bytes)), \(Int(rate)) records/s"
        if let fraction = progress.fraction {
            text += ", \(Int(fraction * 100))%"
            if fraction > 0.01 { text += ", \(time(seconds * (1 - fraction) / fraction)) left" }
        }
        return text
    }

    static func lines(_ summary: CaptureSummary, file: String, size fileSize: Int, redaction: Redaction?) -> [String] {
        let count = summary.recordCount
        var lines = [
            "\(count) \(count == 1 ? "record" : "records") (\(size(summary.byteCount))) written to \(file) "
                + "(\(size(fileSize)))"
        ]
        lines += summary.records.map { "  \(Printable.text($0.topic)): \($0.count)" }
        if let times = summary.times {
            lines.append(
                "  from \(CalendarTime.rfc3339(milliseconds: times.lowerBound)) to "
                    + "\(CalendarTime.rfc3339(milliseconds: times.upperBound))"
            )
        }
        for (partition, offset) in summary.deleted.sorted(by: { $0.key < $1.key }).prefix(10) {
            lines.append("  note: of \(partition) the broker has only the records from offset \(offset) on")
        }
        lines += warnings(summary).map { "  " + $0 }
        guard let redaction else { return lines }
        if summary.withHeaders > 0 {
            lines.append(
                "  warning: \(summary.withHeaders) of the records have headers, which stayed as they were")
        }
        for (field, count) in zip(redaction.fields, redaction.replaced) {
            lines.append(
                count > 0
                    ? "  redacted \(Printable.text(field.name)): \(count)"
                    : "  warning: no text was found in a field \(Printable.text(field.name)); is it spelled so?")
        }
        if redaction.numbersKept > 0 {
            lines.append("  warning: \(redaction.numbersKept) numbers in redacted fields stayed: only text is replaced")
        }
        if redaction.unreadable > 0 {
            lines.append(
                "  note: \(redaction.unreadable) values are no JSON; all their letters and digits were replaced")
        }
        return lines
    }

    /// The parts of the window that are not in the recording, one sentence each.
    static func warnings(_ summary: CaptureSummary) -> [String] {
        var lines = summary.holes.prefix(10).map { "warning: \(Printable.text($0.description, limit: 500))" }
        if summary.holes.count > 10 { lines.append("warning: ... and \(summary.holes.count - 10) more such gaps") }
        for (partition, offsets) in summary.heldBack.sorted(by: { $0.key < $1.key }).prefix(10) {
            lines.append(
                "note: an open transaction ends \(partition) at offset \(offsets.lowerBound); the "
                    + "\(offsets.count) offsets from there on are not in the file (--uncommitted reads them)")
        }
        return lines
    }

    static func holes(_ summary: CaptureSummary, file: String) -> String {
        let count = summary.holes.reduce(0) { $0 + $1.offsets.count }
        return
            "\(file) is not whole: \(count) offsets of the window were gone before they could be read; record nearer "
            + "to the present, or give the topic more retention."
    }

    static func nothing(_ capture: Capture, matching keys: [String]) -> String {
        let place = capture.topics.map { Printable.text($0) }.joined(separator: ", ")
        guard !keys.isEmpty else {
            return "there is no record in this window of \(place), so nothing was written; see --from and --to."
        }
        let listed = keys.prefix(5).map { Printable.quoted($0) }.joined(separator: ", ")
        return
            "no record in this window of \(place) has the key "
            + "\(listed)\(keys.count > 5 ? " or another of --match" : ""), so nothing was written; see --match, --from "
            + "and --to."
    }

    private static func size(_ bytes: Int) -> String {
        var value = Double(bytes)
        for unit in ["bytes", "kB", "MB", "GB"] {
            if value < 1_000 || unit == "GB" { return unit == "bytes" ? "\(bytes) bytes" : "\(rounded(value)) \(unit)" }
            value /= 1_000
        }
        return "\(bytes) bytes"
    }

    private static func rounded(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 1e9).rounded(.up))
        if whole < 120 { return "\(whole) s" }
        return whole < 7_200 ? "\(whole / 60) min" : "\(whole / 3_600) h"
    }
}
