import Hummingbird
import Throughput
import Worker

/// The admin server's paths: new ones are added here. A handler runs on Swift's cooperative threads, which it may not
/// block.
enum AdminRoutes {
    static func router(
        monitor: Monitor, metrics: WorkerMetrics?, questions: QuestionLookup?, deadLetters: DeadLetterLookup?,
        sandbox: (any SandboxControl)?, peers: [GroupPeer], connections: AdminConnections,
        hosts: AdminHostRule, isStopping: @escaping @Sendable () -> Bool
    ) -> Router<AdminRequestContext> {
        let router = Router(context: AdminRequestContext.self, options: .autoGenerateHeadEndpoints)
        // Applies only to the routes added after it.
        router.add(middleware: AdminManners(hosts: hosts, isSandbox: sandbox != nil))
        router.get("/healthz") { _, _ in AdminHealth.live(monitor).response }
        router.get("/readyz") { _, _ in AdminHealth.ready(monitor, isStopping: isStopping()).response }
        if let metrics { router.get("/metrics") { _, _ in metrics.response } }
        Dashboard(monitor: monitor, connections: connections).addRoutes(to: router)
        Runbook().addRoutes(to: router)
        GroupRoutes(monitor: monitor, peers: peers).addRoutes(to: router)
        if let questions { QuestionRoutes(lookup: questions).addRoutes(to: router) }
        if let deadLetters { DeadLetterRoutes(monitor: monitor, lookup: deadLetters).addRoutes(to: router) }
        if let sandbox { SandboxRoutes(sandbox: sandbox).addRoutes(to: router) }
        return router
    }
}

/// Rules for every path: requests use a name of this host and only read, except in a sandbox; responses are not cached
/// or framed, and refusals are JSON.
private struct AdminManners: RouterMiddleware {
    let hosts: AdminHostRule
    let isSandbox: Bool

    private static let referrerPolicy = HTTPFields.Element.Name("Referrer-Policy")
    private static let resourcePolicy = HTTPFields.Element.Name("Cross-Origin-Resource-Policy")
    private static let paths =
        "/, /group, /now, /events, /history, /runbook, /questions/{id}, /dead-letters, /metrics, /healthz and /readyz"

    func handle(
        _ request: Request, context: AdminRequestContext,
        next: (Request, AdminRequestContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        if !hosts.answers(to: request.head.authority) {
            response = .json(
                .misdirectedRequest, ["error": AdminHostRule.refusal(port: context.channel.localAddress?.port)])
        } else if request.method == .get || request.method == .head || isSandbox && SandboxRoutes.takes(request) {
            do {
                response = try await next(request, context)
            } catch let error as HTTPError where error.status == .notFound {
                response = .json(.notFound, ["error": "there is nothing here; \(Self.paths) are answered"])
            }
        } else {
            response = .json(.methodNotAllowed, ["error": "only GET and HEAD are answered here"])
            response.headers[.allow] = "GET, HEAD"
        }
        // AdminConnections closes the connection after the response.
        response.headers[.connection] = "close"
        response.headers[.cacheControl] = "no-store"
        response.headers[.xContentTypeOptions] = "nosniff"
        if response.headers[.contentSecurityPolicy] == nil {
            response.headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        }
        if let name = Self.referrerPolicy { response.headers[name] = "no-referrer" }
        if let name = Self.resourcePolicy { response.headers[name] = "same-origin" }
        return request.method == .head ? response.createHeadResponse() : response
    }
}
