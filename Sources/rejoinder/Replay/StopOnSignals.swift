import Dispatch
import Foundation
import Worker

/// Tells a replay to stop when SIGINT or SIGTERM comes. The second one ends the process as if nobody had listened.
final class StopOnSignals {
    private let sources: [any DispatchSourceSignal]

    init(_ stop: StopSignal) {
        sources = [SIGINT, SIGTERM].map { number in
            // The source sees a signal only when it is not dealt with otherwise.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                stop.request()
                signal(number, SIG_DFL)
            }
            source.resume()
            return source
        }
    }

    /// Signals do again what they did.
    func end() {
        for source in sources { source.cancel() }
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
    }
}
