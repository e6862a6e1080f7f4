import Foundation

/// A progress line on the terminal, overwritten in place. Writes nothing where standard error is no terminal.
final class ProgressLine {
    private let isShown: Bool
    private var last = ContinuousClock.now
    private var isWritten = false

    init() {
        isShown = isatty(2) == 1
    }

    func show(records: Int, bytes: Int, of size: Int) {
        show { "\(records) records, \(size > 0 ? min(100, bytes * 100 / size) : 100)%" }
    }

    /// - Parameter text: evaluated only when the line is due, at most once in 200 ms.
    func show(_ text: () -> String) {
        guard isShown, ContinuousClock.now - last > .milliseconds(200) else { return }
        last = .now
        isWritten = true
        put("\r\(text())\u{1B}[K")
    }

    /// Removes the line.
    func end() {
        if isWritten { put("\r\u{1B}[K") }
        isWritten = false
    }

    private func put(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
