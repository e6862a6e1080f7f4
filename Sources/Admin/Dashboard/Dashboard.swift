import Bytes
import Hummingbird
import Pages
import Throughput
import Worker

/// The dashboard's routes: the page and its parts, the last hour, and the event stream.
struct Dashboard: Sendable {
    /// Allows only this server's scripts and styles, and no parsing of text as markup: the page shows text from
    /// records.
    private static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'",
        "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
    ].joined(separator: "; ")

    /// The script module of the lanes' activities, field and title of each in the order of a step: those of the report,
    /// the log and `top`.
    static let activities: String = {
        let pairs = LaneActivity.inOrderOfStep.map {
            "  [\(JSONWriter.string($0.field)), \(JSONWriter.string($0.title))],\n"
        }
        return "export const activities = [\n\(pairs.joined())];"
    }()

    private let history: DashboardHistory
    private let events: DashboardEvents

    init(monitor: Monitor, connections: AdminConnections) {
        history = DashboardHistory(monitor: monitor)
        events = DashboardEvents(monitor: monitor, connections: connections)
    }

    func addRoutes(to router: Router<AdminRequestContext>) {
        router.get("/") { request, _ in
            // Hummingbird routes "//" here, too.
            guard request.uri.path == "/" else { throw HTTPError(.notFound) }
            return Response.html(.ok, PageFile.dashboard.text, policy: Self.policy)
        }
        router.get("/dashboard/{part}") { _, context in
            let name = context.parameters.get("part") ?? ""
            if name == "activities.js" {
                return Response(.ok, PageFile.script, ByteBuffer(string: Self.activities))
            }
            guard let part = PageFile.parts[name] else { throw HTTPError(.notFound) }
            return Response(.ok, part.type, ByteBuffer(bytes: part.bytes))
        }
        router.get("/history") { request, _ in
            let after = QueryText.value(of: "after", in: request.uri.query).map { String(decoding: $0, as: UTF8.self) }
            let isOfSeconds = QueryText.value(of: "of", in: request.uri.query).map { $0.elementsEqual("seconds".utf8) }
            return Response(
                .ok, "application/json", isOfSeconds ?? false ? history.secondsJSON : history.json(after: after))
        }
        router.get("/events") { request, context in
            request.method == .head ? events.headResponse : events.response(on: context.channel)
        }
    }
}
