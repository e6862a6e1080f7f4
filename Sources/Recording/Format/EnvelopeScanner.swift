import Bytes

/// The place where a line stops being a record, and the reason.
struct EnvelopeError: Error {
    /// Counted from the line's first byte; the line's length when the line ends too early.
    let place: Int
    let reason: String
}

/// Reads one line's envelope in one pass: checks that it is one JSON object, finds the known fields, and unescapes the
/// strings that need it.
///
/// The bytes of key, payload and header values are taken as they are, valid UTF-8 or not: `kcat -J` writes binary ones
/// raw into its strings, and they come back unchanged. Results point into the line or into the scanner's own memory,
/// and are valid until the next line. Allocates nothing once that memory has grown.
///
/// Not Sendable: belongs to its reader.
final class EnvelopeScanner {
    /// Bytes after a line that may be read (not used), so that strings can be read a word at a time.
    static let slack = 16

    private enum Field: UInt16 {
        case topic = 1
        case partition = 2
        case offset = 4
        case timestampType = 8
        case timestamp = 16
        case headers = 32
        case key = 64
        case keyBase64 = 128
        case payload = 256
        case payloadBase64 = 512

        var name: String {
            switch self {
            case .topic: "topic"
            case .partition: "partition"
            case .offset: "offset"
            case .timestampType: "tstype"
            case .timestamp: "ts"
            case .headers: "headers"
            case .key: "key"
            case .keyBase64: "key_base64"
            case .payload: "payload"
            case .payloadBase64: "payload_base64"
            }
        }
    }

    private(set) var view = RecordedView(
        topic: Bytes(start: nil, count: 0), partition: 0, offset: 0, timestampType: .unknown, timestamp: nil, key: nil,
        value: nil)
    var lineStart: Position
    var lineEnd: Position
    /// Unescaped text of the current line.
    private var text: UnsafeMutablePointer<UInt8>
    private var textCapacity = 1 << 16
    /// The place for the next unescaped text.
    var textEnd: UnsafeMutablePointer<UInt8>
    private var headers: UnsafeMutablePointer<RecordedView.Header>
    private var headerCapacity = 16
    private var headerCount = 0
    private let nesting: UnsafeMutablePointer<NestingStack>

    init() {
        text = .allocate(capacity: textCapacity)
        textEnd = text
        headers = .allocate(capacity: headerCapacity)
        lineStart = Position(text)
        lineEnd = lineStart
        nesting = .allocate(capacity: 1)
        nesting.initialize(to: NestingStack())
    }

    deinit {
        text.deallocate()
        headers.deallocate()
        nesting.pointee.deallocate()
        nesting.deallocate()
    }

    /// Reads a line into `view`.
    ///
    /// - Parameters:
    ///   - start: the line's first byte.
    ///   - end: the place after its last byte. A line feed must stand there, with `slack` bytes of memory after it.
    func scan(from start: Position, to end: Position) throws(EnvelopeError) {
        lineStart = start
        lineEnd = end
        // Unescaped text is never longer than the line, and base64 is unpacked beside its text.
        if textCapacity < (end - start) * 2 + Self.slack { growText((end - start) * 2 + Self.slack) }
        textEnd = text
        headerCount = 0
        var view = RecordedView(
            topic: Bytes(start: nil, count: 0), partition: 0, offset: 0, timestampType: .unknown, timestamp: nil,
            key: nil, value: nil)
        var hasType = false
        var seen: UInt16 = 0

        var here = skipSpace(start)
        guard here.pointee == UInt8(ascii: "{") else {
            throw problem(here, "this is no record: a JSON object begins with '{', and here is \(character(here))")
        }
        here = skipSpace(here + 1)
        if here.pointee == UInt8(ascii: "}") {
            here += 1
        } else {
            while true {
                guard here.pointee == UInt8(ascii: "\"") else {
                    throw problem(here, "expected a field name in double quotes, found \(character(here))")
                }
                let name = try string(&here)
                here = skipSpace(here)
                guard here.pointee == UInt8(ascii: ":") else {
                    throw problem(here, "expected ':' after a field name, found \(character(here))")
                }
                here = skipSpace(here + 1)
                if let field = Self.field(name) {
                    guard seen & field.rawValue == 0 else {
                        throw problem(here, "the field '\(field.name)' stands twice in the record")
                    }
                    seen |= field.rawValue
                    switch field {
                    case .topic: view.topic = try topic(&here)
                    case .partition:
                        let number = try integer(&here, field: "partition")
                        guard let partition = Int32(exactly: number), partition >= 0 else {
                            throw problem(here, "the partition \(number) is none: it is 0 to \(Int32.max)")
                        }
                        view.partition = partition
                    case .offset:
                        view.offset = try integer(&here, field: "offset")
                        guard view.offset >= 0 else {
                            throw problem(here, "the offset \(view.offset) is none: it is 0 or more")
                        }
                    case .timestampType:
                        view.timestampType = try timestampType(&here)
                        hasType = true
                    case .timestamp: view.timestamp = try isNull(&here) ? nil : try integer(&here, field: "ts")
                    case .headers: try headers(&here)
                    case .key: view.key = try bytes(&here, field: "key")
                    case .payload: view.value = try bytes(&here, field: "payload")
                    case .keyBase64: view.key = try base64(&here, field: "key_base64")
                    case .payloadBase64: view.value = try base64(&here, field: "payload_base64")
                    }
                } else {
                    here = try skipValue(here)
                }
                here = skipSpace(here)
                if here.pointee == UInt8(ascii: ",") {
                    here = skipSpace(here + 1)
                    continue
                }
                guard here.pointee == UInt8(ascii: "}") else {
                    throw problem(here, "expected ',' or '}' after a field, found \(character(here))")
                }
                here += 1
                break
            }
        }
        here = skipSpace(here)
        guard here == end else { throw problem(here, "expected one record a line, found more behind it") }
        try checkFields(seen)

        if !hasType { view.timestampType = view.timestamp == nil ? .unknown : .create }
        // Kafka marks a missing timestamp by a negative one.
        if view.timestampType == .unknown || (view.timestamp ?? -1) < 0 {
            view.timestamp = nil
            view.timestampType = .unknown
        }
        view.headerBytes = UnsafeBufferPointer(start: headers, count: headerCount)
        self.view = view
    }

    /// Checks that every field of a recording is there, so that a line of other JSON does not become a record.
    private func checkFields(_ seen: UInt16) throws(EnvelopeError) {
        func has(_ field: Field) -> Bool { seen & field.rawValue != 0 }
        for field in [Field.topic, .partition, .offset] where !has(field) {
            throw problem(lineStart, "this is no record of a recording: it has no field '\(field.name)'")
        }
        for (plain, packed) in [(Field.key, Field.keyBase64), (.payload, .payloadBase64)] {
            if has(plain), has(packed) {
                throw problem(lineStart, "the record has both '\(plain.name)' and '\(packed.name)'; which one counts?")
            }
            if !has(plain), !has(packed) {
                throw problem(
                    lineStart,
                    "this is no record of a recording: it has neither '\(plain.name)' nor '\(packed.name)' (null says "
                        + "that there is none)")
            }
        }
    }

    /// Compares a word at a time. The bytes after a name may be read: its closing quote, and the line's slack.
    @inline(__always)
    private static func field(_ name: Bytes) -> Field? {
        guard let start = name.baseAddress else { return nil }
        let word = UInt64(littleEndian: start.loadUnaligned(as: UInt64.self))
        func begins(_ text: StaticString) -> Bool { (word ^ Self.word(text)) << (64 - 8 * min(8, name.count)) == 0 }
        switch name.count {
        case 2: return begins("ts") ? .timestamp : nil
        case 3: return begins("key") ? .key : nil
        case 5: return begins("topic") ? .topic : nil
        case 6: return begins("offset") ? .offset : begins("tstype") ? .timestampType : nil
        case 7: return begins("payload") ? .payload : begins("headers") ? .headers : nil
        case 9: return begins("partitio") && name[8] == UInt8(ascii: "n") ? .partition : nil
        case 10: return name.equals("key_base64") ? .keyBase64 : nil
        case 14: return name.equals("payload_base64") ? .payloadBase64 : nil
        default: return nil
        }
    }

    /// The first eight bytes of a text, or fewer if it is shorter.
    @inline(__always)
    private static func word(_ text: StaticString) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<min(8, text.utf8CodeUnitCount) {
            word |= UInt64(text.utf8Start[index]) << UInt64(8 * index)
        }
        return word
    }

    // MARK: Fields

    private func topic(_ here: inout Position) throws(EnvelopeError) -> Bytes {
        let start = here
        guard here.pointee == UInt8(ascii: "\"") else {
            throw problem(here, "'topic' must be a string, found \(character(here))")
        }
        let topic = try string(&here)
        guard !topic.isEmpty else { throw problem(start, "'topic' is empty") }
        return topic
    }

    private func timestampType(_ here: inout Position) throws(EnvelopeError) -> RecordedRecord.TimestampType {
        let start = here
        if here.pointee == UInt8(ascii: "\"") {
            let word = try string(&here)
            if word.equals("create") { return .create }
            if word.equals("logappend") { return .logappend }
            if word.equals("unknown") { return .unknown }
        }
        throw problem(start, "'tstype' must be \"create\", \"logappend\" or \"unknown\"")
    }

    private func bytes(_ here: inout Position, field: StaticString) throws(EnvelopeError) -> Bytes? {
        if here.pointee == UInt8(ascii: "\"") { return try string(&here) }
        if try isNull(&here) { return nil }
        throw problem(
            here,
            "'\(field)' must be a string or null, found \(character(here)); a recording holds the record's bytes as "
                + "they are (a 'kcat -J' that decodes them with -s makes none)")
    }

    func base64(_ here: inout Position, field: StaticString) throws(EnvelopeError) -> Bytes {
        let start = here
        guard here.pointee == UInt8(ascii: "\"") else {
            throw problem(here, "'\(field)' must be a string of base64, found \(character(here))")
        }
        let packed = try string(&here)
        let room = textEnd
        guard let count = Base64.decode(packed, to: room) else {
            throw problem(start, "'\(field)' is not base64 with its padding")
        }
        textEnd = room + count
        return Bytes(start: room, count: count)
    }

    /// An array's elements, one `element` a call. `here` enters at the opening bracket and leaves after the closing
    /// one.
    @inline(__always)
    func list(
        _ here: inout Position, _ element: (inout Position) throws(EnvelopeError) -> Void
    ) throws(EnvelopeError) {
        here = skipSpace(here + 1)
        if here.pointee == UInt8(ascii: "]") {
            here += 1
            return
        }
        while true {
            try element(&here)
            here = skipSpace(here)
            if here.pointee == UInt8(ascii: "]") { break }
            guard here.pointee == UInt8(ascii: ",") else {
                throw problem(here, "expected ',' or ']' in a list, found \(character(here))")
            }
            here = skipSpace(here + 1)
        }
        here += 1
    }

    /// Adds a header to the record's headers.
    func add(_ name: Bytes, _ value: Bytes?) {
        if headerCount == headerCapacity {
            let larger = UnsafeMutablePointer<RecordedView.Header>.allocate(capacity: headerCapacity * 2)
            larger.moveInitialize(from: headers, count: headerCount)
            headers.deallocate()
            headers = larger
            headerCapacity *= 2
        }
        (headers + headerCount).initialize(to: RecordedView.Header(name: name, value: value))
        headerCount += 1
    }

    private func growText(_ count: Int) {
        text.deallocate()
        textCapacity = max(count, textCapacity * 2)
        text = .allocate(capacity: textCapacity)
    }

    // MARK: Unknown fields

    /// Passes over the value of an unknown field, but checks its JSON.
    private func skipValue(_ start: Position) throws(EnvelopeError) -> Position {
        defer { nesting.pointee.reset() }
        do throws(JSONSyntaxError) {
            let end = try JSONScanner(end: lineEnd, nesting: nesting).skipValue(start, depth: 1)
            if !nesting.pointee.isTooDeep { return end }
        } catch {
            let place = min(lineStart + Int(error.address - UInt(bitPattern: lineStart)), lineEnd)
            let isTooDeep = nesting.pointee.isTooDeep
            if !isTooDeep { throw problem(place, "expected \(error.expected.phrase), found \(character(place))") }
        }
        throw problem(start, "more than \(NestingStack.deepestAllowed) arrays and objects are open at once")
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes equal the word.
    @inline(__always)
    func equals(_ word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index] != word.utf8Start[index] { return false }
        return true
    }
}
