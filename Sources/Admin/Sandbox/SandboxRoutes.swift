import Hummingbird

/// `/sandbox`: a sandbox's operations for tests in any language. The only paths of the admin port that take POST, and
/// only in a sandbox.
struct SandboxRoutes: Sendable {
    static let path = "/sandbox"
    /// The longest body of lines to publish, in bytes.
    private static let longestBody = 64 << 20
    private static let longestWait = 600_000
    private static let standardWait = 10_000

    let sandbox: any SandboxControl

    func addRoutes(to router: Router<AdminRequestContext>) {
        router.get("/sandbox") { _, _ in Response.json(.ok, sandbox.description) }
        router.get("/sandbox/records/{topic}") { _, context in await records(context) }
        router.post("/sandbox/records") { request, _ in await publishLines(request) }
        router.post("/sandbox/fixtures/{name}") { _, context in await publishFixture(context) }
        router.post("/sandbox/wait-idle") { request, _ in await waitUntilIdle(request) }
        router.post("/sandbox/reset") { request, _ in await reset(request) }
    }

    /// Whether these routes accept a POST request: not from a web page, for which browsers send an Origin.
    static func takes(_ request: Request) -> Bool {
        request.method == .post && request.uri.path.hasPrefix(path + "/") && request.headers[.origin] == nil
    }

    private struct Failure: Encodable {
        let error: String
    }

    private struct Published: Encodable {
        let published: Int
    }

    private struct Idle: Encodable {
        let idle: Bool
    }

    private static func answer(_ work: () async throws(SandboxFailure) -> Response) async -> Response {
        do {
            return try await work()
        } catch {
            return .json(error.kind.status, Failure(error: error.message))
        }
    }

    private func records(_ context: AdminRequestContext) async -> Response {
        await Self.answer { () async throws(SandboxFailure) in
            let lines = try await sandbox.records(of: Self.parameter("topic", context))
            return Response(.ok, "application/x-ndjson; charset=utf-8", ByteBuffer(bytes: lines))
        }
    }

    private func publishLines(_ request: Request) async -> Response {
        await Self.answer { () async throws(SandboxFailure) in
            let body: ByteBuffer
            do {
                body = try await request.body.collect(upTo: Self.longestBody)
            } catch {
                throw SandboxFailure(.content, "the body has more than \(Self.longestBody) bytes, or ended too soon")
            }
            return .json(.ok, Published(published: try await sandbox.publish(lines: Array(body.readableBytesView))))
        }
    }

    private func publishFixture(_ context: AdminRequestContext) async -> Response {
        await Self.answer { () async throws(SandboxFailure) in
            .json(.ok, Published(published: try await sandbox.publish(fixture: Self.parameter("name", context))))
        }
    }

    private func waitUntilIdle(_ request: Request) async -> Response {
        await Self.answer { () async throws(SandboxFailure) in
            try await sandbox.waitUntilIdle(timeout: try Self.timeout(of: request))
            return .json(.ok, Idle(idle: true))
        }
    }

    private func reset(_ request: Request) async -> Response {
        await Self.answer { () async throws(SandboxFailure) in
            .json(.ok, try await sandbox.reset(timeout: try Self.timeout(of: request)))
        }
    }

    private static func parameter(_ name: String, _ context: AdminRequestContext) -> String {
        let text = context.parameters.get(name) ?? ""
        return String(decoding: QueryText.decoded(Array(text.utf8)), as: UTF8.self)
    }

    private static func timeout(of request: Request) throws(SandboxFailure) -> Duration {
        guard let text = request.uri.queryParameters["timeoutMs"] else { return .milliseconds(standardWait) }
        guard let milliseconds = Int(text), (1...longestWait).contains(milliseconds) else {
            throw SandboxFailure(.content, "timeoutMs is a number from 1 to \(longestWait)")
        }
        return .milliseconds(milliseconds)
    }
}

extension SandboxFailure.Kind {
    fileprivate var status: HTTPResponse.Status {
        switch self {
        case .timeout: .gatewayTimeout
        case .missing: .notFound
        case .content: .badRequest
        case .broker: .internalServerError
        }
    }
}
