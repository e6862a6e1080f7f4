import KafkaClient

package enum WindowBound: Sendable { case beginning, end, offset(Int64), time(Int64)
    static func ranges(from: WindowBound, to: WindowBound, of places: [TopicPartition], admin: AdminClient) throws -> [TopicPartition: Range<Int64>] {
        var result: [TopicPartition: Range<Int64>] = [:]
        for place in places {
            let (low, high) = try admin.watermarks(of: place, timeout: .seconds(10))
            func resolve(_ bound: WindowBound) throws -> Int64 {
                switch bound {
                case .beginning: low
                case .end: high
                case .offset(let offset): min(max(offset, low), high)
                case .time(let time): try admin.offsets(at: [place: time], timeout: .seconds(10))[place] ?? high
                }
            }
            let first = try resolve(from)
            result[place] = first..<max(first, try resolve(to))
        }
        return result
    }
}
