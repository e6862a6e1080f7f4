import Bytes
import Foundation

/// Writes a value in Avro's binary encoding as JSON: a union's value as itself, bytes in Base64, logical types by their
/// meaning (times in RFC 3339, decimals with every digit). Used by one thread.
///
/// The bytes are another system's: every length is checked against the remaining bytes before its use. Depth and output
/// are bounded, since the elements of an array may take no bytes.
final class AvroDecoder {
    /// Values nested in values.
    static let deepest = 200
    private static let longestDecimal = 1_024

    /// Why bytes are no value of their schema. `path` leads to the place, innermost name first.
    private struct Fault: Error {
        var reason: String
        var path: [String] = []
    }

    private var output = JSONWriter([.letters, .anyBytes], capacity: 4096)
    private var schema: AvroSchema
    private var here = UnsafePointer<UInt8>(bitPattern: 1)!
    private var end = UnsafePointer<UInt8>(bitPattern: 1)!
    private var depth = 0
    /// Bytes of JSON after which no value begins.
    private var limit = 0

    init() { schema = AvroSchema(nodes: [AvroSchema.Node(kind: .null)], root: 0, size: 0) }

    /// - Returns: the JSON, valid until the next call.
    /// - Throws: `SourceFailure` when the bytes are no value of this schema, or go on after it.
    func decode(_ bytes: Bytes, _ schema: AvroSchema) throws(SourceFailure) -> Bytes {
        // Frees the memory of a rare long value.
        output.removeAll(keepingRoomFor: 1 << 19)
        limit = (4 << 20) + 32 * bytes.count
        self.schema = schema
        // An empty value has no address.
        let start = (bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!).assumingMemoryBound(to: UInt8.self)
        (here, end, depth) = (start, start + bytes.count, 0)
        do throws(Fault) {
            try value(schema.root)
            guard here == end else { throw Fault(reason: "\(end - here) bytes are left behind it") }
        } catch {
            let place = error.path.isEmpty ? "" : "field \(excerpt(error.path.reversed().joined(separator: "."))): "
            throw SourceFailure("\(place)\(error.reason)")
        }
        return output.bytes
    }

    private func value(_ type: Int) throws(Fault) {
        guard depth < Self.deepest else { throw Fault(reason: "it is nested more than \(Self.deepest) deep") }
        guard output.count <= limit else { throw Fault(reason: "it would be longer than \(limit >> 20) MiB as JSON") }
        depth += 1
        let node = schema.nodes[type]
        switch node.kind {
        case .null: output.raw("null")
        case .boolean:
            switch try byte() {
            case 0: output.raw("false")
            case 1: output.raw("true")
            case let other: throw Fault(reason: "it has the byte \(other) for a boolean")
            }
        case .int:
            let number = try long()
            guard Int64(Int32.min)...Int64(Int32.max) ~= number else {
                throw Fault(reason: "it has an int of more than 32 bits")
            }
            try write(number, node.meaning)
        case .long: try write(try long(), node.meaning)
        case .float:
            let bits = UInt32(littleEndian: try bytes(4).loadUnaligned(as: UInt32.self))
            let number = Float(bitPattern: bits)
            write(number.isFinite, number.description)
        case .double:
            let bits = UInt64(littleEndian: try bytes(8).loadUnaligned(as: UInt64.self))
            let number = Double(bitPattern: bits)
            write(number.isFinite, number.description)
        case .bytes: try write(try bytes(try length()), node.meaning)
        case .fixed(let size): try write(try bytes(size), node.meaning)
        case .string: output.string(try bytes(try length()))
        case .enumeration(let symbols):
            let index = try long()
            guard 0..<Int64(symbols.count) ~= index else {
                throw Fault(reason: "it has the symbol \(index) of an enum that has \(symbols.count)")
            }
            output.raw(symbols[Int(index)])
        case .union(let branches):
            let index = try long()
            guard 0..<Int64(branches.count) ~= index else {
                throw Fault(reason: "it has the branch \(index) of a union that has \(branches.count)")
            }
            try value(branches[Int(index)])
        case .record(let fields): try record(fields)
        case .array(let item): try blocks(item, isMap: false)
        case .map(let item): try blocks(item, isMap: true)
        }
        depth -= 1
    }

    private func record(_ fields: [AvroSchema.Field]) throws(Fault) {
        output.raw("{")
        for (index, field) in fields.enumerated() {
            if index > 0 { output.raw(",") }
            output.raw(field.member)
            do throws(Fault) { try value(field.type) } catch {
                throw Fault(reason: error.reason, path: error.path + [field.name])
            }
        }
        output.raw("}")
    }

    /// Decodes the elements of an array or the entries of a map: blocks after their counts, up to an empty one.
    private func blocks(_ item: Int, isMap: Bool) throws(Fault) {
        output.raw(isMap ? "{" : "[")
        var isFirst = true
        while true {
            var count = try long()
            if count == 0 { break }
            if count < 0 {
                guard count != .min else { throw Fault(reason: "it has a block of \(count) elements") }
                count = -count
                _ = try length()
            }
            while count > 0 {
                count -= 1
                if !isFirst { output.raw(",") }
                isFirst = false
                if isMap {
                    output.string(try bytes(try length()))
                    output.raw(":")
                }
                try value(item)
            }
        }
        output.raw(isMap ? "}" : "]")
    }

    // MARK: - Bytes

    private func byte() throws(Fault) -> UInt8 {
        guard here < end else { throw Fault(reason: "it ends too early") }
        defer { here += 1 }
        return here.pointee
    }

    private func bytes(_ count: Int) throws(Fault) -> Bytes {
        guard count <= end - here else {
            throw Fault(reason: "it asks for \(count) bytes, and \(end - here) are left")
        }
        defer { here += count }
        return Bytes(start: here, count: count)
    }

    /// A number in Avro's variable length, zigzag.
    private func long() throws(Fault) -> Int64 {
        var bits: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            guard shift < 63 || byte <= 1 else { throw Fault(reason: "it has a number of more than 64 bits") }
            bits |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        return Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
    }

    private func length() throws(Fault) -> Int {
        let length = try long()
        guard length >= 0 else { throw Fault(reason: "it has the length \(length)") }
        guard length <= end - here else {
            throw Fault(reason: "it asks for \(length) bytes, and \(end - here) are left")
        }
        return Int(length)
    }

    // MARK: - Values

    private func write(_ number: Int64, _ meaning: AvroSchema.Meaning) throws(Fault) {
        switch meaning {
        case .time(let unit):
            if let time = TimeText.rfc3339(number, unit) { return quoted(time) }
        case .timeOfDay(let unit):
            if let time = TimeText.timeOfDay(number, unit) { return quoted(time) }
        default: break
        }
        output.raw(json: String(number))
    }

    /// JSON has no infinities and no NaN: they become strings.
    private func write(_ isFinite: Bool, _ number: String) {
        if isFinite { output.raw(json: number) } else { quoted(number) }
    }

    private func write(_ bytes: Bytes, _ meaning: AvroSchema.Meaning) throws(Fault) {
        switch meaning {
        case .decimal(let scale):
            // Debezium's placeholder for a value that the database did not send comes as bytes, too.
            if UnavailableValue.word.elementsEqual(bytes) {
                output.string(bytes)
                return
            }
            guard 1...Self.longestDecimal ~= bytes.count,
                let text = DecimalText.decimal(twosComplement: Array(bytes), scale: scale)
            else { throw Fault(reason: "it has a decimal of \(bytes.count) bytes") }
            output.raw(json: text)
        case .uuid:
            let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            quoted(SchemaID.hyphenated(digits))
        case .duration:
            let parts = (0..<3).map {
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self))
            }
            let fraction = String(1_000 + parts[2] % 1_000).dropFirst()
            quoted("P\(parts[0])M\(parts[1])DT\(parts[2] / 1_000).\(fraction)S")
        default:
            if UnavailableValue.word.elementsEqual(bytes) {
                output.string(bytes)
                return
            }
            quoted(Data(bytes).base64EncodedString())
        }
    }

    private func quoted(_ text: String) {
        output.raw("\"")
        output.raw(json: text)
        output.raw("\"")
    }
}
