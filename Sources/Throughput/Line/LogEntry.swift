import Bytes

/// The kind of a log line.
package enum LogEntry: Sendable, Equatable {
    case throughput(ThroughputLine, time: Double)
    case event(LogNote)
    /// A line of our log without figures or events for a report.
    case passing
    /// Malformed JSON, a time that does not parse, or a throughput line without its required fields.
    case torn
    /// Text, or JSON that is not of our log.
    case foreign
    case blank

    /// The most arrays and objects that a log's line has open at once.
    package static let deepest = 64
    /// Bytes above which a line is cut to them, and so no JSON any more.
    package static let longestLine = 4 << 20

    /// - Parameter bytes: a line without its end. Bytes before the first `{` are skipped: log collectors put the
    ///   container's name or a time there.
    package init(_ bytes: Bytes) {
        guard let start = bytes.firstIndex(of: UInt8(ascii: "{")) else {
            self = bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 } ? .blank : .foreign
            return
        }
        guard let value = JSONValue(Bytes(rebasing: bytes[start...]), deepest: Self.deepest) else {
            let isPrefixed = bytes[..<start].contains { $0 != 0x20 && $0 != 0x09 }
            self = isPrefixed && !Self.names(bytes) ? .foreign : .torn
            return
        }
        self.init(value, isInner: false)
    }

    /// - Parameter text: a line without its end.
    package init(_ text: String) {
        var text = text
        self = text.withUTF8 { LogEntry(Bytes($0)) }
    }

    private init(_ value: JSONValue, isInner: Bool) {
        // Docker's log files wrap each of our lines in a JSON object, as its `log` field.
        if !isInner, let inner = value.text("log") {
            let line = inner.hasSuffix("\n") ? String(inner.dropLast()) : inner
            guard let value = JSONValue(line, deepest: Self.deepest) else {
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

    /// Whether malformed JSON was part of a throughput line.
    private static func names(_ bytes: Bytes) -> Bool {
        String(decoding: bytes, as: UTF8.self).contains("\"uptimeSeconds\"")
    }
}

/// A log line that explains the throughput: a start, a stop, a rebalance, or trouble.
package struct LogNote: Sendable, Equatable {
    /// The kind of a line, by which a report marks it.
    package enum Kind: Sendable, Equatable {
        case start
        case stop
        /// Partitions were assigned, handed back or caught up.
        case rebalance
        /// A warning or worse.
        case trouble
    }

    /// Seconds since 1970.
    package var time: Double
    /// Decided by message and level.
    package var kind: Kind
    /// As the log writes it: `info`, `warning`, `error`; empty where a log collector left it out.
    package var level: String
    /// The part of the program that wrote the line.
    package var logger: String
    /// Constant for an event's kind; the case's details are in the fields.
    package var message: String
    /// Names and values in the line's order, without nulls, objects and arrays of more than 64 elements.
    package var fields: [(name: String, value: String)]

    /// Written by hand, since tuples have no `Equatable`.
    package static func == (left: LogNote, right: LogNote) -> Bool {
        left.time == right.time && left.kind == right.kind && left.level == right.level && left.logger == right.logger
            && left.message == right.message && left.fields.elementsEqual(right.fields) { $0 == $1 }
    }

    init?(_ value: JSONValue, time: Double, logger: String, message: String) {
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
        fields = value.members.compactMap { name, value in
            guard !["time", "level", "logger", "message"].contains(name) else { return nil }
            if let values = value.elements {
                return values.count <= 64 ? (name, values.compactMap(\.plain).joined(separator: ", ")) : nil
            }
            return (value.plain ?? value.double.map { String($0) } ?? value.boolean.map { String($0) }).map {
                (name, $0)
            }
        }
    }

    /// The reason in a worker's last line, `ended: …`; nil: it is another line.
    package var end: String? {
        logger == "rejoinder" && message.hasPrefix("ended: ") ? String(message.dropFirst("ended: ".count)) : nil
    }

    /// The first field of this name; nil where the line has none.
    package func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

extension JSONValue {
    fileprivate var plain: String? {
        text(loneSurrogates: .replaced) ?? integer.map { String($0) }
    }
}
