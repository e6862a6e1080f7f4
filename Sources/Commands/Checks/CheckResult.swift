/// The result of one check.
struct CheckResult: Sendable, Equatable {
    enum Outcome: String, Sendable {
        case ok
        /// The worker would run, and suffer later.
        case warn
        /// The worker would not run, or would fail for ever.
        case fail
        /// An earlier failure made the check impossible.
        case skipped = "skip"
    }

    /// The area of a failure, which decides the exit status.
    enum Matter: Sendable {
        case configuration
        case broker
        case stateDirectory
    }

    var outcome: Outcome
    /// The object of the check: "topic answers".
    var subject: String
    var finding: String
    /// The remedy; empty where none is needed.
    var advice = ""
    var matter = Matter.configuration

    static func ok(_ subject: String, _ finding: String) -> CheckResult {
        CheckResult(outcome: .ok, subject: subject, finding: finding)
    }

    static func warn(_ subject: String, _ finding: String, _ advice: String) -> CheckResult {
        CheckResult(outcome: .warn, subject: subject, finding: finding, advice: advice)
    }

    static func fail(_ subject: String, _ finding: String, _ advice: String, _ matter: Matter = .configuration)
        -> CheckResult
    {
        CheckResult(outcome: .fail, subject: subject, finding: finding, advice: advice, matter: matter)
    }

    static func skipped(_ subject: String, _ reason: String) -> CheckResult {
        CheckResult(outcome: .skipped, subject: subject, finding: "not looked at: " + reason)
    }
}
