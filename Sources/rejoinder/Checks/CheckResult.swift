/// What one check found.
struct CheckResult: Sendable, Equatable {
    enum Outcome: String, Sendable {
        case ok
        /// The worker would run, but something will hurt later.
        case warn
        /// The worker would not run, or would fail for ever.
        case fail
        /// An earlier failure left nothing to ask.
        case skipped = "skip"
    }

    /// Whose matter a failure is.
    enum Matter: Sendable {
        case configuration
        case broker
        case stateDirectory
    }

    var outcome: Outcome
    /// What was looked at: "topic answers".
    var subject: String
    /// What was found.
    var finding: String
    /// What to do; empty where there is nothing to do.
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
