import Bytes
import Foundation
import Synchronization
import Throughput

/// The live view. Draws on updates, once a second, and when the terminal changes; ends by a key or a signal.
///
/// Not Sendable: owned by the thread that runs it.
final class TopScreen {
    private let shared: TopState
    private let glyphs: TopGlyphs
    private let colour: Bool
    private let terminal = Terminal()
    private var drawn: [String] = []
    private var drawnSize: TopFrame.Size?
    private var lastDraw: ContinuousClock.Instant?

    init(_ shared: TopState, glyphs: TopGlyphs, colour: Bool) {
        self.shared = shared
        self.glyphs = glyphs
        self.colour = colour
    }

    func run() {
        let wake = TopWake.open()
        terminal.enter()
        defer { terminal.leave() }
        guard draw() else { return }
        while true {
            var entries = [
                pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
                pollfd(fd: terminal.input, events: Int16(POLLIN), revents: 0),
            ]
            // A timeout draws too, for the clock and the time since a source was lost.
            let isReady = poll(&entries, 2, 1_000) > 0
            var isDrawn = !isReady
            if entries[0].revents != 0 {
                for byte in TopWake.take(from: wake) {
                    switch Int32(byte) {
                    case SIGINT, SIGTERM, SIGHUP, SIGQUIT: return
                    case SIGTSTP: suspend()
                    case SIGCONT, SIGWINCH: drawn = []
                    default: break
                    }
                }
                isDrawn = true
            }
            if entries[1].revents != 0 {
                var bytes = [UInt8](repeating: 0, count: 256)
                let count = read(terminal.input, &bytes, bytes.count)
                // The terminal is gone.
                if count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN) { return }
                for key in TopKey.keys(Array(bytes[..<max(0, count)])) {
                    guard take(key) else { return }
                }
                isDrawn = true
            }
            if isDrawn, !draw() { return }
        }
    }

    private func take(_ key: TopKey) -> Bool {
        switch key {
        case .quit: return false
        case .suspend: suspend()
        case .redraw: drawn = []
        case .up: shared.model.withLock { $0.move(by: -1) }
        case .down: shared.model.withLock { $0.move(by: 1) }
        case .columns: shared.model.withLock { $0.columnSeconds = $0.columnSeconds > 1 ? 1 : 10 }
        }
        return true
    }

    /// Restores the terminal and stops until the shell continues the job.
    private func suspend() {
        terminal.leave()
        // Stops the whole job, as the key would have done.
        signal(SIGTSTP, SIG_DFL)
        kill(0, SIGTSTP)
        // The signal may reach another thread a moment later. After the sleep, the job was continued, or could not be
        // stopped, as a job without a shell.
        Thread.sleep(forTimeInterval: 0.05)
        TopWake.catchSignals()
        terminal.enter()
        drawn = []
    }

    /// Writes the lines that have changed since the last drawing.
    private func draw() -> Bool {
        let size = Terminal.size
        let now = LogClock.now()
        let model = shared.model.withLock { model in
            model.wall = LogClock.secondsSince1970
            return model
        }
        let frame = TopFrame(
            model: model, size: size, glyphs: glyphs,
            clock: CalendarTime(seconds: Int64(now.seconds)).clock, now: .now)
        let lines = frame.lines.map { line in
            // Without wrapping, the cursor stays on the last column, and erasing from there would delete its character.
            glyphs.text(line.rendered(colour: colour)) + (line.width < size.columns ? "\u{1B}[K" : "")
        }
        var text = ""
        if size != drawnSize || drawn.isEmpty {
            text += "\u{1B}[2J"
            drawn = []
            drawnSize = size
        }
        for (row, line) in lines.enumerated() where row >= drawn.count || drawn[row] != line {
            text += "\u{1B}[\(row + 1);1H\(line)"
        }
        if lines.count < drawn.count { text += "\u{1B}[\(lines.count + 1);1H\u{1B}[J" }
        drawn = lines
        return text.isEmpty || terminal.write(text)
    }
}

/// State shared by the drawing thread and the threads that follow sources.
final class TopState: Sendable {
    let model: Mutex<TopModel>
    /// The updates for `TopLines`, which prints them.
    let updates = Mutex<[TopUpdate]>([])

    init(_ sources: [TopSource]) {
        model = Mutex(TopModel(sources: sources))
    }

    func tell(_ update: TopUpdate) {
        model.withLock { $0.apply(update) }
        updates.withLock { updates in
            updates.append(update)
            // The screen does not take them.
            if updates.count > 1_000 { updates.removeFirst(500) }
        }
        TopWake.wake()
    }

    /// Starts a thread for each source.
    func follow(_ sources: [TopSource]) {
        for (index, source) in sources.enumerated() {
            let thread = Thread { [self] in
                switch source {
                case .worker(let target):
                    WorkerFollower(index: index, target: target) { self.tell($0) }.run()
                case .log(let path):
                    LogFollower(index: index, path: path) { self.tell($0) }.run()
                }
            }
            thread.stackSize = 1 << 20
            thread.start()
        }
    }
}
