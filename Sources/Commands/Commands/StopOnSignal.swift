import Dispatch
import Foundation
import Synchronization
import Worker

/// Turns SIGINT, SIGTERM and SIGHUP (the terminal was closed) into a stop request. The same signal a second time ends
/// the process. SIGHUP stays ignored under `nohup`.
///
/// Not Sendable: created and released on one thread. The signals arrive on a dispatch queue of its own, which touches
/// the `StopSignal` and an atomic only.
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
            // `nohup` made the process ignore SIGHUP; leave it so.
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

    /// Ends the process by the signal that came, so that the parent process sees the cause.
    func endProcess() {
        let number = caught.number.load(ordering: .relaxed)
        if number != 0 { Self.endProcess(by: number) }
    }

    static func endProcess(by number: Int32) {
        // A signal does not run the `atexit` handlers.
        LogWriter.standardError.finish()
        signal(number, SIG_DFL)
        // Dispatch blocks a signal in the thread that it interrupts, so that the signal waits for its source.
        var blocked = sigset_t()
        sigemptyset(&blocked)
        sigaddset(&blocked, number)
        pthread_sigmask(SIG_UNBLOCK, &blocked, nil)
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
