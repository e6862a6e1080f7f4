import Pages
import Throughput

/// The page about all workers of the group. Without scripts; it refreshes itself.
struct GroupPage {
    /// The asked worker first.
    let members: [GroupMember]
    let hasPeers: Bool

    /// Above the longest duration of a survey.
    private static let refreshSeconds = 5

    var html: String {
        PlainPage.html(
            title: "Group", header: "<a href=\"\(GroupRoutes.path)?format=json\">As JSON</a>", content: content,
            refreshSeconds: Self.refreshSeconds)
    }

    private var lines: [ThroughputLine] {
        members.compactMap { member in
            if case .line(let line) = member.answer { line } else { nil }
        }
    }

    private var content: String {
        let group = lines.first.map { "The group \(Markup.line($0.group))" } ?? "The group"
        let hint =
            hasPeers
            ? ""
            : "<p class=\"quiet\">Only this worker is known: name the admin addresses of the others in "
                + "<code>admin.peers</code>.</p>\n"
        return """
            <h1>\(group)</h1>
            <p class="quiet">\(Markup.line(summary))</p>
            \(hint)<table>
            <thead><tr><th>Worker</th><th>State</th><th>Partitions</th><th>Lag</th><th>In</th><th>Out</th><th>Dead \
            letters</th></tr></thead>
            <tbody>
            \(members.map(Self.row).joined(separator: "\n"))
            </tbody>
            </table>
            """
    }

    /// Sums over the workers that answer.
    private var summary: String {
        let partitions = lines.reduce(0) { $0 + $1.store.partitions }
        let lags = lines.map(\.lag.total)
        let lag = lags.contains(nil) ? "not known yet" : FigureText.whole(lags.reduce(0) { $0 + ($1 ?? 0) })
        let rate = lines.reduce(0) { $0 + $1.recordsOutPerSecond }
        let workers = "\(FigureText.counted(lines.count, "worker")) of \(members.count)"
        return
            "\(workers), \(FigureText.counted(partitions, "partition")); lag \(lag); \(FigureText.amount(rate)) "
            + "records out a second"
    }

    private static func row(_ member: GroupMember) -> String {
        switch member.answer {
        case .line(let line):
            let name = link(member.url ?? "/", line.worker)
            let state =
                line.verdict.map { "<b class=\"\($0.tone.rawValue)\">\(Markup.line($0.line))</b>" }
                ?? line.state.rawValue
            let waiting = line.lag.seconds.map { $0 > 0 ? ", \(FigureText.duration($0))" : "" } ?? ""
            let lag = line.lag.total.map { FigureText.whole($0) + waiting } ?? "not known yet"
            let figures = [
                FigureText.whole(line.store.partitions), lag, "\(FigureText.amount(line.recordsInPerSecond))/s",
                "\(FigureText.amount(line.recordsOutPerSecond))/s", FigureText.whole(line.deadLettersTotal),
            ]
            return "<tr><td>\(name)</td><td>\(state)</td>\(figures.map { "<td>\($0)</td>" }.joined())</tr>"
        case .none(let reason):
            let name = member.url.map { link($0, $0) } ?? "this worker"
            return "<tr><td>\(name)</td><td colspan=\"6\"><b class=\"bad\">\(Markup.line(reason))</b></td></tr>"
        }
    }

    private static func link(_ url: String, _ text: String) -> String {
        "<a href=\"\(Markup.escaped(url))\">\(Markup.line(text))</a>"
    }
}
