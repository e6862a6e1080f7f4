import Foundation
import Hummingbird
import Worker

/// What the admin server answers to which path: the one place to add to. A handler runs on Swift's cooperative threads, which
/// it may not block.
enum AdminRoutes {
    static func router(
        monitor: Monitor, metrics: WorkerMetrics?, isStopping: @escaping @Sendable () -> Bool
    ) -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        // Reaches only the routes that are added behind it.
        router.add(middleware: AdminManners())
        router.get("/healthz") { _, _ in AdminHealth.live(monitor).response }
        router.get("/readyz") { _, _ in AdminHealth.ready(monitor, isStopping: isStopping()).response }
        if let metrics { router.get("/metrics") { _, _ in metrics.response } }
        return router
    }
}

/// What holds for every path: it is for reading, nothing is kept by caches, and what is refused is said in JSON.
private struct AdminManners: RouterMiddleware {
    func handle(
        _ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        if request.method == .get || request.method == .head {
            do {
                response = try await next(request, context)
            } catch let error as HTTPError where error.status == .notFound {
                response = .json(
                    .notFound, ["error": "there is nothing here; /healthz, /readyz and /metrics are answered"])
            }
        } else {
            response = .json(.methodNotAllowed, ["error": "only GET and HEAD are answered here"])
            response.headers[.allow] = "GET, HEAD"
        }
        // As AdminConnections sees to.
        response.headers[.connection] = "close"
        response.headers[.cacheControl] = "no-store"
        response.headers[.xContentTypeOptions] = "nosniff"
        return request.method == .head ? response.createHeadResponse() : response
    }
}

extension Response {
    /// With a line end, for those who look at it in a terminal.
    static func json(_ status: HTTPResponse.Status, _ value: some Encodable) -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // What is encoded here is text and whole numbers, which cannot fail.
        let body = (try? encoder.encode(value)) ?? Data("{}".utf8)
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body + Data("\n".utf8))))
    }
}
