import Foundation
import Hummingbird

extension Response {
    /// With a line end, for those who look at it in a terminal.
    static func json(_ status: HTTPResponse.Status, _ value: some Encodable) -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // What is encoded here is text and whole numbers, which cannot fail.
        let body = (try? encoder.encode(value)) ?? Data("{}".utf8)
        return Response(status, "application/json", ByteBuffer(bytes: body + Data("\n".utf8)))
    }

    /// - Parameter type: media type, with its charset where it is text.
    init(_ status: HTTPResponse.Status, _ type: String, _ body: ByteBuffer) {
        self.init(status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: body))
    }

    /// - Parameter policy: what the page may load and do; everything that it does not name is forbidden.
    static func html(_ status: HTTPResponse.Status, _ page: String, policy: String) -> Response {
        var response = Response(status, "text/html; charset=utf-8", ByteBuffer(string: page))
        response.headers[.contentSecurityPolicy] = policy
        return response
    }
}
