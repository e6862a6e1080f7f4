import Foundation
import Hummingbird
import KafkaClient
import Throughput
import Worker

/// `/dead-letters` lists the worker's last dead letters; `/dead-letters/{topic}/{partition}/{offset}` shows one with
/// its original record. As a page or as JSON.
struct DeadLetterRoutes: Sendable {
    static let path = "/dead-letters"

    let monitor: Monitor
    let lookup: DeadLetterLookup

    func addRoutes(to router: Router<AdminRequestContext>) {
        router.get("/dead-letters") { request, _ in list(request) }
        router.get("/dead-letters/{topic}/{partition}/{offset}") { request, context in await open(request, context) }
    }

    private func list(_ request: Request) -> Response {
        let notes = Array(monitor.deadLetters.reversed())
        var response =
            QuestionRoutes.wantsJSON(query: request.uri.query, accept: request.headers[.accept])
            ? Response(.ok, "application/json", ByteBuffer(string: DashboardEvents.json(notes) + "\n"))
            : .html(.ok, DeadLetterPage.list(notes), policy: QuestionRoutes.policy)
        response.headers[.vary] = "Accept"
        return response
    }

    private func open(_ request: Request, _ context: AdminRequestContext) async -> Response {
        let outcome = await outcome(of: context)
        var response =
            QuestionRoutes.wantsJSON(query: request.uri.query, accept: request.headers[.accept])
            ? Self.json(outcome) : .html(outcome.status, DeadLetterPage.page(outcome), policy: QuestionRoutes.policy)
        response.headers[.vary] = "Accept"
        if case .busy = outcome { response.headers[.retryAfter] = "1" }
        if case .unreachable = outcome { response.headers[.retryAfter] = "5" }
        return response
    }

    private func outcome(of context: AdminRequestContext) async -> DeadLetterOutcome {
        let parameters = context.parameters
        let topic = parameters.get("topic").map { QueryText.decoded(Array($0.utf8)) } ?? []
        let partition = parameters.get("partition").flatMap { Int32($0) }
        let offset = parameters.get("offset").flatMap { Int64($0) }
        let note = monitor.deadLetters.last { note in
            note.place.topic.utf8.elementsEqual(topic) && note.place.partition == partition && note.offset == offset
        }
        guard let note else { return .unknown }
        let cancellation = SearchCancellation()
        context.channel.closeFuture.whenComplete { _ in cancellation.cancel() }
        return await lookup.open(note, cancellation: cancellation)
    }

    /// The path of a dead letter's page.
    static func link(to note: DeadLetterNote) -> String {
        "\(path)/\(QueryText.encoded(note.place.topic.utf8))/\(note.place.partition)/\(note.offset)"
    }

    // MARK: - JSON

    private struct Failure: Encodable {
        let error: String
    }

    /// Bytes as text where they are UTF-8, else in Base64.
    private struct Content: Encodable {
        var text: String?
        var base64: String?

        init(_ bytes: [UInt8]) {
            if let text = String(validating: bytes, as: UTF8.self) {
                self.text = text
            } else {
                base64 = Data(bytes).base64EncodedString()
            }
        }
    }

    private struct Header: Encodable {
        let name: String
        let value: Content?
    }

    private struct Opened: Encodable {
        let code: String
        let message: String
        let topic: String
        let partition: Int32
        let offset: Int64
        var timestamp: Int64?
        var key: Content?
        var value: Content?
        let headers: [Header]
    }

    private static func json(_ outcome: DeadLetterOutcome) -> Response {
        guard case .opened(let note, let record) = outcome else {
            return .json(outcome.status, Failure(error: outcome.sentence))
        }
        return .json(
            .ok,
            Opened(
                code: note.code.rawValue, message: note.message, topic: record.place.topic,
                partition: record.place.partition, offset: record.offset, timestamp: record.timestamp,
                key: record.key.map(Content.init), value: record.value.map(Content.init),
                headers: record.headers.map { Header(name: $0.name, value: $0.value.map(Content.init)) }))
    }
}

extension DeadLetterOutcome {
    var status: HTTPResponse.Status {
        switch self {
        case .opened: .ok
        case .unknown: .notFound
        case .forgotten: .gone
        case .busy, .unreachable: .serviceUnavailable
        }
    }

    var sentence: String {
        switch self {
        case .opened(let note, _): "\(note.code.rawValue): \(note.message)"
        case .unknown:
            "this is none of the worker's last \(LaneReport.deadLettersKept) dead letters; read the dead-letter topic "
                + "for older ones"
        case .forgotten(let note):
            "the topic \(note.place.topic) does not have the record any more; its dead letter is in the dead-letter "
                + "topic"
        case .busy: "another dead letter is being opened; try again"
        case .unreachable(let reason): "the cluster does not give the record: \(reason)"
        }
    }
}
