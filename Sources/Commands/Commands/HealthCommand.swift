import AdminRequests
import ArgumentParser
import Foundation

/// `rejoinder health`
struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Asks a running worker whether it is ready.",
        discussion: """
            Asks the worker that runs with this configuration on this host, by its admin port: whether its lanes turn \
            and the tables of its partitions are caught up (/readyz), or with --live only whether its lanes turn \
            (/healthz). Prints what it answers. Status 0 if it is well, 70 if it says that it is not, 69 if no worker \
            answers within 3 seconds. For health checks of containers and supervisors.

            Example:
              rejoinder health --config rejoinder.yaml
              rejoinder health --live --url http://worker-1:9464
            """)

    @Option(
        name: .long,
        help: ArgumentHelp("The worker's admin address, instead of admin.host and admin.port.", valueName: "url"))
    var url: String?

    @Flag(name: .long, help: "Ask only whether the worker's lanes turn.")
    var live = false

    @OptionGroup(title: "Settings")
    var options: SettingsOptions

    func run() throws {
        let settings = try options.settings()
        let target = try url.map(Target.init(url:)) ?? Target(settings)
        let path = target.path + (live ? "/healthz" : "/readyz")
        let answer: AdminProbe.Answer
        do throws(AdminProbe.Failure) {
            answer = try AdminProbe.get(host: target.host, port: target.port, path: path, patience: .seconds(3))
        } catch {
            throw CommandFailure(
                .brokerUnreachable,
                "no worker answers at \(target.text): \(error); see that one runs and that this is its `admin "
                    + "address`, which stands in its log")
        }
        switch answer.status {
        case 200:
            LineWriter.standardOutput.write(Self.printable(answer.body))
        case 503:
            LineWriter.standardOutput.write(Self.printable(answer.body))
            throw CommandFailure(
                .internalError, "the worker at \(target.text) is not \(live ? "well" : "ready"); its log says more")
        case 421:
            throw CommandFailure(
                .brokerUnreachable,
                "the worker at \(target.text) \(AdminProbe.onlyLocalNames)")
        default:
            throw CommandFailure(
                .brokerUnreachable,
                "no worker answers at \(target.text): the server there answers \(path) with status \(answer.status)")
        }
    }

    private static func printable(_ body: String) -> String {
        Printable.text(body.trimmingCharacters(in: .newlines), limit: 10_000)
    }

    /// The admin address to ask.
    struct Target: Equatable {
        var host: String
        var port: UInt16
        /// Prefix of `/readyz`: "", or a path that a proxy requires.
        var path = ""

        var text: String { AdminAddress(host: host, port: port).description }

        /// - Throws: when the settings do not determine the address.
        init(_ settings: Settings) throws(CommandFailure) {
            guard let port = UInt16(exactly: settings.adminPort), port > 0 else {
                throw CommandFailure(
                    .configuration,
                    "admin.port is 0, so the worker has taken some free port: say --url, with the `admin address` that "
                        + "stands in its log")
            }
            self.port = port
            // A server on all of a host's addresses is asked at the loopback address.
            switch settings.adminHost {
            case "0.0.0.0": host = "127.0.0.1"
            case "::": host = "::1"
            default: host = settings.adminHost
            }
        }

        /// - Parameter url: an address such as http://127.0.0.1:9464; `host:port` and a host alone are accepted too.
        init(url: String) throws(CommandFailure) {
            let parts = URLComponents(string: url.contains("://") ? url : "http://\(url)")
            guard let parts, parts.scheme?.lowercased() == "http", let host = parts.encodedHost, !host.isEmpty,
                parts.user == nil, parts.query == nil, parts.fragment == nil,
                let port = UInt16(exactly: parts.port ?? (url.contains("://") ? 80 : 9464)), port > 0
            else {
                throw CommandFailure(
                    .usage, "--url \(Printable.quoted(url)) is not an address such as http://127.0.0.1:9464")
            }
            self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
            self.port = port
            path = String(parts.percentEncodedPath.reversed().drop { $0 == "/" }.reversed())
        }
    }
}
