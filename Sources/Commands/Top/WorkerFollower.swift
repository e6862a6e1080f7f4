import AdminRequests
import Foundation

/// Follows a worker by its admin port, and retries after failures. Runs on a thread of its own.
struct WorkerFollower {
    let index: Int
    let target: HealthCommand.Target
    let tell: @Sendable (TopUpdate) -> Void

    func run() -> Never {
        let watch = ThroughputWatch(host: target.host, port: target.port, path: target.path)
        var failures = 0
        while true {
            do throws(AdminProbe.Failure) {
                let history = try watch.history(patience: .seconds(5))
                tell(TopUpdate(source: index, news: .history(history)))
                // A worker sends a line once a second.
                try watch.follow(patience: .seconds(10)) { line in
                    failures = 0
                    tell(TopUpdate(source: index, news: .line(line)))
                }
            } catch {
                tell(TopUpdate(source: index, news: .lost(error.description)))
            }
            failures += 1
            Thread.sleep(forTimeInterval: min(Double(failures), 5))
        }
    }
}
