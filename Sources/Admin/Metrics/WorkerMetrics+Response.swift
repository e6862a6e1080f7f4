import Hummingbird

extension WorkerMetrics {
    /// The answer to a scrape.
    var response: Response {
        Response(
            status: .ok, headers: [.contentType: MetricText.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: scrape())))
    }
}
