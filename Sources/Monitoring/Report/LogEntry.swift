import Records

/// What one line of a log is.
package enum LogEntry: Sendable, Equatable {
    case throughput(ThroughputLine, time: Double)
    case event(LogNote)
    /// A JSON object of the log that says nothing a report needs.
    case passing
    /// Begins as a JSON object and is none, or is a throughput line without what makes it one.
    case torn
    /// Anything else.
    case foreign
    case blank

    /// - Parameter bytes: a line without its end. What stands before the first `{` is passed over: log collectors put the
    ///   container's name or a time there.
    package init(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let start = bytes.firstIndex(of: UInt8(ascii: "{")) else {
            self = bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 } ? .blank : .foreign
            return
        }
        guard let value = LogValue(UnsafeBufferPointer(rebasing: bytes[start...])) else {
            let isPrefixed = bytes[..<start].contains { $0 != 0x20 && $0 != 0x09 }
            self = isPrefixed && !Self.names(bytes) ? .foreign : .torn
            return
        }
        self.init(value, isInner: false)
    }

    package init(_ text: String) {
        var text = text
        self = text.withUTF8 { LogEntry($0) }
    }

    private init(_ value: LogValue, isInner: Bool) {
        // Docker's own log files: our line is the text of one of theirs.
        if !isInner, let inner = value.text("log") {
            let line = inner.hasSuffix("\n") ? String(inner.dropLast()) : inner
            guard let value = LogValue(line) else {
                self = line.hasPrefix("{") ? .torn : .foreign
                return
            }
            self.init(value, isInner: true)
            return
        }
        guard let text = value.text("time"), let logger = value.text("logger"), let message = value.text("message")
        else {
            self = .foreign
            return
        }
        guard let time = Self.seconds(text) else {
            self = .torn
            return
        }
        if logger == "throughput", ThroughputLine.Kind(rawValue: message) != nil {
            self = ThroughputLine(value).map { .throughput($0, time: time) } ?? .torn
        } else if let event = LogNote(value, time: time, logger: logger, message: message) {
            self = .event(event)
        } else {
            self = .passing
        }
    }

    /// Seconds since 1970 of an RFC 3339 time, to the millisecond.
    package static func seconds(_ time: String) -> Double? {
        var time = time
        return time.withUTF8 { Instant(rfc3339: Bytes($0)) }.map {
            Double($0.seconds) + (Double($0.attoseconds / 1_000_000_000_000_000) / 1000)
        }
    }

    /// Whether a line that is not JSON once was a throughput line.
    private static func names(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        String(decoding: bytes, as: UTF8.self).contains("\"uptimeSeconds\"")
    }
}

/// A line that is no throughput line and tells why the throughput is as it is.
package struct LogNote: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case start
        case stop
        /// Partitions came or went.
        case rebalance
        /// A warning or worse.
        case trouble
    }

    /// Seconds since 1970.
    package var time: Double
    package var kind: Kind
    package var level: String
    package var logger: String
    package var message: String
    /// Name and value, in the line's order, nested ones left out.
    package var fields: [(name: String, value: String)]

    package static func == (left: LogNote, right: LogNote) -> Bool {
        left.time == right.time && left.kind == right.kind && left.level == right.level && left.logger == right.logger
            && left.message == right.message && left.fields.elementsEqual(right.fields) { $0 == $1 }
    }

    init?(_ value: LogValue, time: Double, logger: String, message: String) {
        self.time = time
        self.logger = logger
        self.message = message
        level = value.text("level") ?? ""
        switch (message, level) {
        case ("start", _): kind = .start
        case ("stopped", _): kind = .stop
        case ("partitions assigned", _), ("partitions handed back", _), ("partition caught up", _): kind = .rebalance
        case (_, "warning"), (_, "error"), (_, "critical"): kind = .trouble
        default: return nil
        }
        fields = value.fields.compactMap { field in
            switch field.value {
            case _ where ["time", "level", "logger", "message"].contains(field.name): nil
            case .text(let text): (field.name, text)
            case .integer(let number): (field.name, String(number))
            case .number(let number): (field.name, String(number))
            case .flag(let flag): (field.name, String(flag))
            case .array(let values) where values.count <= 64:
                (field.name, values.compactMap(\.plain).joined(separator: ", "))
            case .null, .array, .object: nil
            }
        }
    }

    package func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

extension LogValue {
    fileprivate var plain: String? {
        switch self {
        case .text(let text): text
        case .integer(let number): String(number)
        default: nil
        }
    }
}
