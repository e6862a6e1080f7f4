import Logging
import Throughput

extension CommandFailure {
    /// The failure as the last lines of standard error: in JSON where standard error is a JSON log, so that its readers
    /// understand them; else as sentences.
    /// - Parameter isLog: whether standard error is a JSON log.
    func logLines(isLog: Bool) -> [String] {
        guard isLog else { return lines.map { "rejoinder: \($0)" } }
        let now = LogClock.now()
        let time = LogClock.text(seconds: now.seconds, milliseconds: now.milliseconds)
        return lines.map { sentence in
            LogLine(
                time: time, level: .error, logger: "rejoinder", message: "ended: \(sentence)",
                fields: ["status": .stringConvertible(status.rawValue)]
            ).json
        }
    }
}
