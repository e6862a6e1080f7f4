import Throughput
import Worker

/// Conclusions in sentences, for an operator on call, before any plot.
package struct ReportFindings: Sendable {
    /// How much a sentence matters to the operator; the raw value is its CSS class.
    enum Weight: String, Sendable {
        case good
        case say
        case warn
        case bad
    }

    /// The most severe first.
    private(set) var sentences: [(weight: Weight, text: String)] = []

    /// - Parameter sum: the figures of all runs of the survey as one.
    init(_ survey: LogSurvey, _ sum: RunFigures) {
        lag(survey, sum)
        hindrances(survey, sum)
        starts(survey, sum)
        deadLetters(sum)
        time(sum)
        skipped(survey)
        // The most severe first, each in the order above.
        let order: [Weight] = [.bad, .warn, .good, .say]
        sentences = order.flatMap { weight in sentences.filter { $0.weight == weight } }
    }

    private mutating func say(_ weight: Weight, _ text: String) { sentences.append((weight, text)) }

    private mutating func lag(_ survey: LogSurvey, _ sum: RunFigures) {
        guard let largest = sum.lagLargest else {
            say(.say, "The lag was never known: at no time do all workers' lines say how much was waiting.")
            return
        }
        guard largest > 0, let time = sum.lagLargestTime else {
            say(.good, "Nothing was left waiting: at every interval's end at which the lag was known it was 0.")
            return
        }
        var text = "The lag was at most \(FigureText.whole(largest)) records, at \(FigureText.time(time)) UTC"
        if let place = sum.lagLargestPlace {
            text +=
                " (most in one partition: \(place.topic)/\(place.partition) with \(FigureText.whole(place.records)))"
        }
        text += "; at the end it was \(sum.lagEnd.map { FigureText.whole($0) } ?? "not known")."
        if sum.isBehindAtEnd {
            say(.bad, "It did not keep up. " + text)
        } else if sum.behindSeconds > 0 {
            let duration = FigureText.duration(sum.behindSeconds)
            say(.warn, "It fell behind and caught up: behind for \(duration) in all. " + text)
        } else if sum.stalledSeconds + sum.seconds(.unreachable) + sum.seconds(.topicMissing) > 0 || sum.lagEnd == nil {
            // While no broker answers, the lag is unknown.
            say(.say, text)
        } else {
            say(.good, "It kept up. " + text)
        }
    }

    private mutating func hindrances(_ survey: LogSurvey, _ sum: RunFigures) {
        say(.bad, "No broker answered", of: [.unreachable], survey)
        say(.bad, "A topic was missing", of: [.topicMissing], survey)
        say(.say, "No place in the group", of: [.joining], survey)
        say(.bad, "Stalled", of: [.stalled, .stuck], survey, naming: true)
        if sum.restoringSeconds > 0 {
            say(.say, "Partitions were being restored for \(FigureText.duration(sum.restoringSeconds)).")
        }
    }

    /// A sentence about the time with these verdicts; none where there was none.
    /// - Parameter naming: whether the sentence names the lanes' waits.
    private mutating func say(
        _ weight: Weight, _ title: String, of kinds: Set<Verdict.Kind>, _ survey: LogSurvey, naming: Bool = false
    ) {
        var waits: [String: Double] = [:]
        var seconds = 0.0
        var stretches: [WorkerRun.Stretch] = []
        for run in survey.runs {
            stretches += run.states.filter { kinds.contains($0.state) }
            for sample in run.samples where kinds.contains(sample.line.kind) {
                seconds += sample.line.seconds
                for wait in Set(sample.line.lanes.compactMap(\.waitingFor)) {
                    waits[wait, default: 0] += sample.line.seconds
                }
            }
        }
        guard let longest = stretches.max(by: { $0.to - $0.from < $1.to - $1.from }) else { return }
        var text = "\(title) for \(FigureText.duration(seconds)) in \(FigureText.counted(stretches.count, "period"))"
        text += ", the longest from \(FigureText.time(longest.from)) to \(FigureText.clock(longest.to)) UTC"
        let named = waits.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3).map {
            "\($0.key) (\(FigureText.duration($0.value)))"
        }
        if naming, !named.isEmpty { text += ". Lanes waited for: " + named.joined(separator: "; ") }
        say(weight, text + ".")
    }

    private mutating func starts(_ survey: LogSurvey, _ sum: RunFigures) {
        if sum.restarts > 0 {
            let times = survey.runs.filter(\.isRestart).map { FigureText.time($0.firstTime) }
            let listed = times.prefix(4).joined(separator: ", ") + (times.count > 4 ? " and more" : "")
            say(.warn, "\(FigureText.counted(sum.restarts, "restart")): \(listed) UTC.")
        }
        if sum.rebalances > 0 { say(.say, "\(FigureText.counted(sum.rebalances, "rebalance")) counted by the lanes.") }
        if sum.offsetResets > 0 {
            let count = FigureText.counted(sum.offsetResets, "offset reset")
            say(
                .bad, "\(count): a position did not match its topic's log, so records were lost or are published again."
            )
        }
        if sum.aborts > 0 {
            let part = Double(sum.aborts) / Double(max(sum.aborts + sum.commits, 1))
            say(
                part > 0.01 ? .bad : .warn,
                "\(FigureText.counted(sum.aborts, "transaction")) aborted, \(FigureText.percent(part)) of all.")
        }
    }

    private mutating func deadLetters(_ sum: RunFigures) {
        guard sum.deadLettersTotal > 0 else {
            say(.good, "No dead letters.")
            return
        }
        let codes = sum.deadLetters.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let listed = codes.prefix(6).map { "\($0.key) \(FigureText.whole($0.value))" }.joined(separator: ", ")
        say(.warn, "\(FigureText.counted(sum.deadLettersTotal, "dead letter"))\(listed.isEmpty ? "" : ": " + listed).")
    }

    private mutating func time(_ sum: RunFigures) {
        guard let shares = sum.shares, shares[.idle] < 0.9995 else { return }
        let busy = 1 - shares[.idle]
        let parts = LaneActivity.inOrderOfStep.filter { $0 != .idle }.map { ($0.title, shares[$0]) }
            .sorted { $0.1 > $1.1 }.prefix(3)
        let listed = parts.map { "\($0.0) \(FigureText.percent($0.1 / busy))" }.joined(separator: ", ")
        say(.say, "Lanes were busy \(FigureText.percent(busy)) of the time; of that went most to \(listed).")
    }

    private mutating func skipped(_ survey: LogSurvey) {
        for source in survey.sources where source.skipped > 0 || source.repeated > 0 {
            say(source.skipped > 0 ? .warn : .say, Self.skipped(source))
        }
    }

    /// A sentence for a log's lines that were left out: torn, of other programs, or repeated.
    package static func skipped(_ source: LogSurvey.Source) -> String {
        var parts: [String] = []
        if source.torn > 0 { parts.append("\(FigureText.whole(source.torn)) torn") }
        if source.foreign > 0 { parts.append("\(FigureText.whole(source.foreign)) foreign") }
        if source.repeated > 0 { parts.append("\(FigureText.whole(source.repeated)) repeated") }
        return
            "\(source.name): of \(FigureText.counted(source.lines, "line")) \(parts.joined(separator: ", ")) "
            + "\(source.skipped + source.repeated == 1 ? "was" : "were") skipped."
    }
}
