/// Parses an HTTP/1 response incrementally: the status, then the body, plain or chunked.
struct AdminAnswerReader {
    private enum State {
        case head
        /// The body up to the end of the connection.
        case plain
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case finished
    }

    private static let maxHeadBytes = 1 << 16

    private(set) var status: Int?
    private var state = State.head
    private var pending: [UInt8] = []

    var isFinished: Bool {
        if case .finished = state { return true }
        return false
    }

    /// - Returns: the part of the body in these bytes.
    mutating func feed(_ bytes: [UInt8]) throws(AdminProbe.Failure) -> [UInt8] {
        pending += bytes
        var body: [UInt8] = []
        while try step(&body) {}
        return body
    }

    /// - Returns: whether the pending bytes may hold more to parse.
    private mutating func step(_ body: inout [UInt8]) throws(AdminProbe.Failure) -> Bool {
        switch state {
        case .head:
            return try readHead()
        case .plain:
            body += pending
            pending.removeAll(keepingCapacity: true)
            return false
        case .chunkSize:
            guard let line = try takeLine() else { return false }
            let digits = line.prefix { $0 != ";" }.trimmingSpaces
            guard let size = Int(digits, radix: 16), size >= 0 else { throw Self.noHTTP }
            state = size == 0 ? .finished : .chunk(left: size)
            return true
        case .chunk(let left):
            guard !pending.isEmpty else { return false }
            let count = min(left, pending.count)
            body += pending[..<count]
            pending.removeFirst(count)
            state = count == left ? .chunkEnd : .chunk(left: left - count)
            return true
        case .chunkEnd:
            guard let line = try takeLine() else { return false }
            guard line.isEmpty else { throw Self.noHTTP }
            state = .chunkSize
            return true
        case .finished:
            return false
        }
    }

    private mutating func readHead() throws(AdminProbe.Failure) -> Bool {
        var isChunked = false
        var rest = pending[...]
        var status: Int?
        while let end = rest.firstIndex(of: 0x0A) {
            let line = String(decoding: rest[..<end].last == 0x0D ? rest[..<(end - 1)] : rest[..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
            if status == nil {
                let parts = line.split(separator: " ", maxSplits: 2)
                guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), parts[1].utf8.count == 3,
                    let code = Int(parts[1])
                else { throw Self.noHTTP }
                status = code
            } else if line.isEmpty {
                self.status = status
                pending = Array(rest)
                state = isChunked ? .chunkSize : .plain
                return true
            } else if line.lowercased().hasPrefix("transfer-encoding:") {
                isChunked = line.lowercased().hasSuffix("chunked")
            }
        }
        guard pending.count <= Self.maxHeadBytes else { throw Self.noHTTP }
        return false
    }

    private mutating func takeLine() throws(AdminProbe.Failure) -> String? {
        guard let end = pending.firstIndex(of: 0x0A) else {
            guard pending.count <= 1024 else { throw Self.noHTTP }
            return nil
        }
        let line = pending[..<end].last == 0x0D ? pending[..<(end - 1)] : pending[..<end]
        let text = String(decoding: line, as: UTF8.self)
        pending.removeFirst(end + 1)
        return text
    }

    private static let noHTTP = AdminProbe.Failure(description: "the program there does not speak HTTP")
}

extension Substring {
    fileprivate var trimmingSpaces: Substring { drop { $0 == " " }.prefix { $0 != " " } }
}
