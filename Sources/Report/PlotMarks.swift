import Pages
import Throughput

/// Stalls, restores, rebalances and restarts, drawn behind every plot at the same place, next to their effects.
struct PlotMarks {
    struct Shade {
        var from: Double
        var to: Double
        /// CSS class.
        var style: String
        var text: String
    }

    struct Line {
        var time: Double
        var style: String
        var text: String
    }

    /// Limit on marks of one kind. More would merge into a grey area, so they are thinned out.
    private static let most = 150

    /// The verdicts that are drawn behind the plots.
    private static let shaded: Set<Verdict.Kind> = [
        .unreachable, .topicMissing, .stuck, .joining, .stalled, .restoring,
    ]

    var shades: [Shade] = []
    var lines: [Line] = []

    init() {}

    init(_ runs: [WorkerRun]) {
        for run in runs {
            for stretch in run.states where Self.shaded.contains(stretch.state) {
                shades.append(
                    Shade(
                        from: stretch.from, to: stretch.to, style: "s-\(stretch.state.rawValue)",
                        text:
                            "\(run.key.worker): \(stretch.state.rawValue) for "
                            + "\(FigureText.duration(stretch.to - stretch.from))"
                    ))
            }
            let span = (runs.map(\.lastTime).max() ?? 0) - (runs.map(\.firstTime).min() ?? 0)
            var last = -Double.infinity
            for time in run.rebalances where time - last > span / 300 {
                last = time
                lines.append(Line(time: time, style: "rebalance", text: "\(run.key.worker): rebalance"))
            }
            if run.isRestart {
                lines.append(Line(time: run.firstTime, style: "restart", text: "\(run.key.worker): started again"))
            }
        }
        shades = Self.thinned(shades)
        lines =
            Self.thinned(lines.filter { $0.style == "rebalance" })
            + Self.thinned(lines.filter { $0.style == "restart" })
    }

    private static func thinned<Mark>(_ marks: [Mark]) -> [Mark] {
        guard marks.count > most else { return marks }
        let every = (marks.count + most - 1) / most
        return stride(from: 0, to: marks.count, by: every).map { marks[$0] }
    }

    func shades(_ x: (Double) -> Double) -> String {
        shades.map { shade in
            let from = x(shade.from)
            let width = max(x(shade.to) - from, 1.5)
            return
                "<rect class=\"shade \(shade.style)\" x=\"\(Markup.number(from))\" y=\"14\" "
                + "width=\"\(Markup.number(width))\" height=\"152\"/>"
        }.joined()
    }

    func lines(_ x: (Double) -> Double) -> String {
        lines.map { line in
            let x = Markup.number(x(line.time))
            let head = line.style == "restart" ? "M\(x) 14l-5 -9h10z" : "M\(x) 14l-3 -5h6z"
            return
                "<g class=\(line.style)><path d=\"M\(x) 14V166\"/><path class=head d=\"\(head)\">"
                + "<title>\(Markup.line(FigureText.clock(line.time) + " " + line.text))</title></path></g>"
        }.joined()
    }
}
