import Hummingbird

/// `/questions/{id}`: a question's enriched record as the worker would publish it now, as a page or as JSON.
struct QuestionRoutes: Sendable {
    /// Forbids all scripts, since the page's content comes from records.
    static let policy = [
        "default-src 'none'", "style-src 'self'", "img-src 'self'", "form-action 'self'", "base-uri 'none'",
        "frame-ancestors 'none'",
    ].joined(separator: "; ")
    private static let prefix = "/questions"

    let lookup: QuestionLookup

    func addRoutes(to router: Router<AdminRequestContext>) {
        router.get("/questions") { request, context in await answer(request, context) }
        // Ids may contain slashes, plain or as %2F.
        router.get("/questions/**") { request, context in await answer(request, context) }
    }

    private func answer(_ request: Request, _ context: AdminRequestContext) async -> Response {
        let query = request.uri.query
        let id = Self.id(path: request.uri.path, query: query)
        let partition = QueryText.value(of: "partition", in: query).map {
            Int32(String(decoding: $0, as: UTF8.self)) ?? -1
        }
        let cancellation = SearchCancellation()
        context.channel.closeFuture.whenComplete { _ in cancellation.cancel() }
        let isBlank = id.isEmpty && QueryText.value(of: "id", in: query) == nil
        let outcome = isBlank ? nil : await lookup.lookUp(id, partition: partition, cancellation: cancellation)
        var response: Response
        if Self.wantsJSON(query: query, accept: request.headers[.accept]) {
            response = Self.json(outcome ?? .noID)
        } else {
            let page = QuestionPage(id: id, partition: partition, outcome: outcome)
            response = .html(outcome?.status ?? .ok, page.html, policy: Self.policy)
        }
        response.headers[.vary] = "Accept"
        if let seconds = outcome?.retryAfter { response.headers[.retryAfter] = String(seconds) }
        return response
    }

    /// The id's bytes, from the path or else from the form's field.
    static func id(path: String, query: String?) -> [UInt8] {
        let rest = path.utf8.dropFirst(prefix.utf8.count)
        if rest.first == UInt8(ascii: "/"), rest.count > 1 { return QueryText.decoded(rest.dropFirst()) }
        return QueryText.value(of: "id", in: query) ?? []
    }

    static func wantsJSON(query: String?, accept: String?) -> Bool {
        if let format = QueryText.value(of: "format", in: query) { return format.elementsEqual("json".utf8) }
        let types = (accept ?? "").lowercased()
        return types.contains("application/json") && !types.contains("text/html")
    }

    private struct Failure: Encodable {
        let error: String
        let code: String
        /// A dead letter's code.
        var recordError: String?
        var topic: String?
        var partition: Int32?
        var offset: Int64?
    }

    /// Sends the record byte for byte.
    static func json(_ outcome: QuestionOutcome) -> Response {
        if case .enriched(let bytes, _) = outcome {
            return Response(outcome.status, "application/json", ByteBuffer(bytes: bytes))
        }
        var failure = Failure(error: outcome.sentence, code: outcome.word)
        if case .refused(let code, _, _) = outcome { failure.recordError = code.rawValue }
        failure.topic = outcome.place?.topic
        failure.partition = outcome.place?.partition
        failure.offset = outcome.event?.offset
        return .json(outcome.status, failure)
    }
}
