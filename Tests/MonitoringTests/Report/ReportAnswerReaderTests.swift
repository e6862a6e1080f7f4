import Foundation
import Testing

@testable import AdminRequests
@testable import Throughput

@Suite struct ReportAnswerReaderTests {
    private static func read(_ text: String, pieces size: Int) throws -> (status: Int?, body: String, isFinished: Bool)
    {
        var reader = AdminAnswerReader()
        var body: [UInt8] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            body += try reader.feed(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        return (reader.status, String(decoding: body, as: UTF8.self), reader.isFinished)
    }

    @Test(arguments: [1, 3, 1000])
    func chunksAndPlainBodies(size: Int) throws {
        let chunked = try Self.read(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ndata:\r\nA;x=y\r\n 123456789\r\n0\r\n\r\n",
            pieces: size)
        #expect(chunked == (200, "data: 123456789", true))
        let plain = try Self.read("HTTP/1.0 503 Oh\r\nX: y\r\n\r\nbody\n", pieces: size)
        #expect(plain == (503, "body\n", false))
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        String(repeating: "x", count: 100_000),
    ])
    func whatIsNotHTTPIsRefused(text: String) {
        #expect(throws: AdminProbe.Failure.self) { try Self.read(text, pieces: 4096) }
    }
}
