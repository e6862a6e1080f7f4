import ArgumentParser
import Bytes
import Foundation
import Throughput

/// `rejoinder top`
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows workers live: rates, lag, latency, where the time goes.",
        discussion: """
            Asks each worker's admin port once and is told every second; a worker that cannot be reached is tried \
            again. Or follows logs in JSON as they are written, through rotation; a log may hold several workers.

            Keys: q quits, up and down choose a worker, t changes between 10 s and 1 s for a column of the small plots.
            Without a terminal (a pipe, TERM=dumb) it prints one line for each line of a worker; --once prints one \
            picture and ends, with status 69 where no worker answers. NO_COLOR is respected; without a UTF-8 locale it \
            draws in ASCII.

            Example:
              rejoinder top
              rejoinder top --url http://worker-1:9464 --url http://worker-2:9464
              rejoinder top /var/log/rejoinder.log
              kubectl logs -f rejoinder-0 | rejoinder top -
            """)

    @Argument(
        help: ArgumentHelp("Logs that are being written, to follow instead; - is standard input.", valueName: "log"))
    var logs: [String] = []

    @Option(
        name: .customLong("url"),
        help: ArgumentHelp(
            "A worker's admin address; may be repeated. http://127.0.0.1:9464 if neither this nor a log is given.",
            valueName: "url"))
    var urls: [String] = []

    @Flag(help: "Print one picture and end.")
    var once = false

    @Flag(help: "Draw in ASCII in every locale.")
    var ascii = false

    func validate() throws {
        guard logs.filter({ $0 == "-" }).count <= 1 else {
            throw ValidationError("Standard input (-) can be followed only once.")
        }
    }

    func run() throws {
        let named =
            try urls.map { TopSource.worker(try HealthCommand.Target(url: $0)) } + logs.map { TopSource.log($0) }
        let sources = try named.isEmpty ? [.worker(HealthCommand.Target(url: "http://127.0.0.1:9464"))] : named
        let environment = ProcessInfo.processInfo.environment
        let glyphs = TopGlyphs(unicode: !ascii && TopLocale.isUnicode)
        let isDumb = environment["TERM"].map { $0 == "dumb" || $0.isEmpty } ?? true
        let isTerminal = isatty(1) == 1
        // https://no-color.org: any value counts unless it is empty.
        let colour = isTerminal && !isDumb && (environment["NO_COLOR"] ?? "").isEmpty
        let shared = TopState(sources)
        if once {
            shared.follow(sources)
            try printOnce(shared, glyphs: glyphs, colour: colour, isTerminal: isTerminal)
        } else if isTerminal && !isDumb {
            let screen = TopScreen(shared, glyphs: glyphs, colour: colour)
            shared.follow(sources)
            screen.run()
        } else {
            shared.follow(sources)
            TopLines.run(shared)
        }
    }

    private func printOnce(_ shared: TopState, glyphs: TopGlyphs, colour: Bool, isTerminal: Bool) throws {
        // A worker sends a line once a second.
        let deadline = ContinuousClock.now + .seconds(3)
        while ContinuousClock.now < deadline, !shared.model.withLock({ $0.hasAllAnswered }) {
            Thread.sleep(forTimeInterval: 0.05)
        }
        let now = LogClock.now()
        let model = shared.model.withLock { model in
            model.wall = LogClock.secondsSince1970
            return model
        }
        let frame = TopFrame(
            model: model, size: Terminal.size, glyphs: glyphs,
            clock: CalendarTime(seconds: Int64(now.seconds)).clock, now: .now)
        var lines = frame.lines
        // The last line lists the keys.
        if frame.size.rows >= 8 { lines.removeLast() }
        while let last = lines.last, last.width == 0 { lines.removeLast() }
        for line in lines {
            // A file or a pipe gets no escape sequences, not even for bold.
            let text = isTerminal ? line.rendered(colour: colour) : line.plain
            _ = Terminal.write(glyphs.text(text) + "\n", to: 1)
        }
        guard model.isAnyLive else {
            let reasons = zip(model.sources, model.statuses).map { source, status in
                switch status {
                case .lost(let reason, _), .ended(let reason): "\(source.name): \(reason)"
                case .waiting, .live: "\(source.name): nothing came within 3 s"
                }
            }
            throw CommandFailure(
                .brokerUnreachable,
                "no worker was heard of (\(Printable.text(reasons.joined(separator: "; "), limit: 500))); see that one "
                    + "runs and that this is its `admin address`, which stands in its log, or its log in JSON")
        }
    }
}
