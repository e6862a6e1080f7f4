import Foundation
import Recording

/// Messages of a replay to or from a cluster, on standard error: sentences as lines, and one progress line that is
/// overwritten in place where standard error is a terminal.
final class ReplayScreen {
    private let isTerminal: Bool
    private var last: ContinuousClock.Instant?
    private var isWritten = false

    init() {
        isTerminal = isatty(2) == 1
    }

    func show(_ event: ReplayEvent) {
        switch event {
        case .note(let text): line(text)
        case .warning(let text): line("warning: \(text)")
        case .advanced(let advance): show(advance)
        }
    }

    private func line(_ text: String) {
        end()
        LogWriter.standardError.say(Printable.text(text, limit: 2_000))
    }

    private func show(_ advance: ReplayAdvance) {
        let now = ContinuousClock.now
        guard isTerminal, now - (last ?? now - .seconds(1)) > .milliseconds(200) else { return }
        last = now
        isWritten = true
        put("\r\(Self.text(advance))\u{1B}[K")
    }

    /// `1200 of 5000 records, 24%, 400/s, 10 s left`.
    static func text(_ advance: ReplayAdvance) -> String {
        let rate = advance.recordsPerSecond
        var text = "\(advance.records) of \(advance.total) records, \(advance.percent)%, \(Int(rate))/s"
        if rate >= 1, advance.total > advance.records {
            let left = Double(advance.total - advance.records) / rate
            text += ", \(ClusterReplayReport.time(.seconds(left))) left"
        }
        if advance.behind > .milliseconds(100) { text += ", \(ClusterReplayReport.time(advance.behind)) behind" }
        return text
    }

    /// Removes the line.
    func end() {
        if isWritten { put("\r\u{1B}[K") }
        isWritten = false
    }

    private func put(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
