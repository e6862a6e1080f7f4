import Foundation
import Hummingbird

extension Response {
    /// Ends with a line end, for readers at a terminal.
    static func json(_ status: HTTPResponse.Status, _ value: some Encodable) -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // The values are text and whole numbers, whose encoding cannot fail.
        let body = (try? encoder.encode(value)) ?? Data("{}".utf8)
        return Response(status, "application/json", ByteBuffer(bytes: body + Data("\n".utf8)))
    }

    /// - Parameter type: media type, with a charset for text.
    init(_ status: HTTPResponse.Status, _ type: String, _ body: ByteBuffer) {
        self.init(status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: body))
    }

    /// - Parameter policy: the page's permissions; all others are denied.
    static func html(_ status: HTTPResponse.Status, _ page: String, policy: String) -> Response {
        var response = Response(status, "text/html; charset=utf-8", ByteBuffer(string: page))
        response.headers[.contentSecurityPolicy] = policy
        return response
    }
}
