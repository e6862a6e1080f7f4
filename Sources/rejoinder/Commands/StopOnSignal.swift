import Dispatch
import Foundation
import Synchronization
import Worker

/// Takes SIGINT, SIGTERM and SIGHUP (the terminal was closed) as a request to stop while it lives. A second one ends the
/// process as usual. SIGHUP stays ignored where it was, under `nohup`.
///
/// Not Sendable: made and ended on one thread. The signals come on a queue of its own and touch the `StopSignal` alone.
final class StopOnSignal {
    let stop = StopSignal()
    private let caught = Caught()
    private var sources: [any DispatchSourceSignal] = []
    private var taken: [Int32] = []
    private static let numbers = [SIGINT, SIGTERM, SIGHUP]

    init() {
        let queue = DispatchQueue(label: "rejoinder.signals")
        for number in Self.numbers {
            let before = signal(number, SIG_IGN)
            // `nohup` has made the process deaf to it, and it stays so.
            if number == SIGHUP, unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
                continue
            }
            taken.append(number)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [stop, caught] in
                caught.number.store(number, ordering: .relaxed)
                stop.request()
                signal(number, SIG_DFL)
            }
            source.resume()
            sources.append(source)
        }
    }

    /// Ends the process as the signal that came would have done, so that whoever started it sees why.
    func endProcess() {
        let number = caught.number.load(ordering: .relaxed)
        if number != 0 { Self.endProcess(by: number) }
    }

    static func endProcess(by number: Int32) {
        // A signal runs nothing of what `atexit` was given.
        LogWriter.standardError.finish()
        signal(number, SIG_DFL)
        raise(number)
    }

    private final class Caught: Sendable {
        let number = Atomic<Int32>(0)
    }

    deinit {
        for source in sources { source.cancel() }
        for number in taken { signal(number, SIG_DFL) }
    }
}
