import Foundation
import Throughput

/// The output of `top` without a terminal: a line of text for each line of a worker.
struct TopLines {
    static let heading =
        "time      worker            state              in/s     out/s  tables/s       lag       p99    dead  waits for"

    static func text(_ line: ThroughputLine) -> String {
        var text = TopText()
        text.left(LogEntry.seconds(line.time).map { FigureText.clock($0) } ?? "-", 10)
        text.left(Printable.text(line.worker, limit: 60), 17)
        text.left(" " + (line.verdict?.kind.rawValue ?? line.state.rawValue), 14)
        text.right(FigureText.short(line.recordsInPerSecond), 9)
        text.right(FigureText.short(line.recordsOutPerSecond), 10)
        text.right(FigureText.short(Double(line.answers + line.votes) / max(line.seconds, 0.001)), 10)
        text.right(line.lag.total.map { FigureText.short(Double($0)) } ?? "-", 10)
        text.right(line.latencyMs.map { FigureText.milliseconds($0.p99) } ?? "-", 10)
        text.right(FigureText.whole(line.deadLettersTotal), 8)
        let waits = line.lanes.compactMap { lane in
            lane.waitingFor.map { "\(lane.name): \(Printable.text($0, limit: 100))" }
        }
        if !waits.isEmpty { text.add("  " + waits.joined(separator: "; ")) }
        return text.plain
    }

    /// Prints until every source has ended or the output is closed.
    static func run(_ shared: TopState) {
        var printed = 0
        var lost: [Int: String] = [:]
        while true {
            for update in shared.updates.withLock({ updates in
                defer { updates.removeAll() }
                return updates
            }) {
                var lines: [String] = []
                switch update.news {
                case .history: break
                case .line(let line) where line.message == .totals: break
                case .line(let line):
                    lost[update.source] = nil
                    if printed % 20 == 0 { lines.append(heading) }
                    printed += 1
                    lines.append(text(line))
                case .lost(let reason), .stopped(let reason), .ended(let reason):
                    // Reports a reason once, not with every attempt.
                    guard lost[update.source] != reason else { continue }
                    lost[update.source] = reason
                    let name = shared.model.withLock { $0.sources[update.source].name }
                    LogWriter.standardError.say("rejoinder: \(Printable.text(name)): \(Printable.text(reason))")
                }
                for line in lines where !Terminal.write(line + "\n", to: 1) { return }
            }
            let hasEnded = shared.model.withLock { model in
                model.statuses.allSatisfy { if case .ended = $0 { true } else { false } }
            }
            if hasEnded, shared.updates.withLock({ $0.isEmpty }) { return }
            Thread.sleep(forTimeInterval: 0.1)
        }
    }
}
