import Bytes
import Foundation
import Synchronization

/// The terminal while `top` uses it: alternate screen, no cursor, keys without line buffering. ``leave()`` restores it.
///
/// Not Sendable: owned by the drawing thread.
final class Terminal {
    /// Descriptor of the screen.
    private let output: Int32 = 1
    /// Descriptor of the keyboard; -1: none.
    let input: Int32
    private var ownsInput = false
    private var before: termios?
    private(set) var isEntered = false

    init() {
        if isatty(0) == 1 {
            input = 0
        } else {
            input = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY)
            ownsInput = input >= 0
        }
    }

    deinit {
        leave()
        if ownsInput { close(input) }
    }

    /// Takes the terminal. The system stops a process in the background here, until it is in the foreground again.
    func enter() {
        guard !isEntered else { return }
        isEntered = true
        if input >= 0 {
            var settings = termios()
            if tcgetattr(input, &settings) == 0 {
                before = settings
                // No echo, no line buffering; the keys for signals are read like others.
                settings.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG | IEXTEN)
                settings.c_iflag &= ~tcflag_t(IXON | ICRNL)
                tcsetattr(input, TCSADRAIN, &settings)
            }
        }
        // The alternate screen, no cursor, no wrapping at the edge.
        write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J\u{1B}[H")
    }

    func leave() {
        guard isEntered else { return }
        isEntered = false
        write("\u{1B}[0m\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        if var before { tcsetattr(input, TCSADRAIN, &before) }
        before = nil
    }

    /// Columns and rows: of the terminal, or from COLUMNS and LINES, or 80 by 24.
    static var size: TopFrame.Size {
        var size = winsize()
        if ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 {
            return TopFrame.Size(columns: Int(size.ws_col), rows: Int(size.ws_row))
        }
        let environment = ProcessInfo.processInfo.environment
        func number(_ name: String) -> Int? {
            environment[name].flatMap { Int($0) }.flatMap { 1...1000 ~= $0 ? $0 : nil }
        }
        return TopFrame.Size(columns: number("COLUMNS") ?? 80, rows: number("LINES") ?? 24)
    }

    /// - Returns: false when the terminal is gone.
    @discardableResult
    func write(_ text: String) -> Bool { Self.write(text, to: output) }

    static func write(_ text: String, to descriptor: Int32) -> Bool {
        do throws(SystemFailure) { try Descriptor.writeAll(Array(text.utf8), to: descriptor) } catch { return false }
        return true
    }
}

/// Wakes the drawing thread for signals and updates. A pipe, since that thread polls the keyboard at the same time.
enum TopWake {
    /// The pipe's byte for an update; other bytes are signal numbers.
    static let news: UInt8 = 0

    private static let writeEnd = Atomic<Int32>(-1)
    private static let isPending = Atomic<Bool>(false)

    /// - Returns: the pipe's read end, which is never closed.
    static func open() -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return -1 }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        writeEnd.store(ends[1], ordering: .relaxed)
        catchSignals()
        return ends[0]
    }

    static func catchSignals() {
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT] {
            // Runs on any thread, between any two instructions: write(2) is allowed there, little else.
            signal(number) { number in
                let before = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = Foundation.write(TopWake.writeEnd.load(ordering: .relaxed), &byte, 1)
                errno = before
            }
        }
    }

    /// Merges the wakes before the next `take` into one.
    static func wake() {
        guard !isPending.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var byte = news
        _ = Foundation.write(writeEnd.load(ordering: .relaxed), &byte, 1)
    }

    /// Reads the pending bytes.
    static func take(from end: Int32) -> [UInt8] {
        isPending.store(false, ordering: .releasing)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(end, &bytes, bytes.count)
        return count > 0 ? Array(bytes[..<count]) : []
    }
}
