import Bytes

@testable import Sources

/// Reads an input's first line as an Avro schema, and the rest as a value of it. A value that is right is right JSON.
final class AvroBody {
    private let memory = GuardedMemory()
    private let decoder = AvroDecoder()
    private let document = JSONDocument()

    func run(_ input: UnsafeRawBufferPointer) {
        guard input.count <= memory.capacity else { return }
        let end = input.firstIndex(of: 0x0A) ?? input.count
        let text = String(decoding: input[..<end], as: UTF8.self)
        guard let schema = try? AvroSchemaReader.read(RegisteredSchema(text: text)) else { return }
        let value = memory.copy(UnsafeRawBufferPointer(rebasing: input[min(end + 1, input.count)...]))
        guard let json = try? decoder.decode(value, schema) else { return }
        precondition(json.count <= 64 << 20, "a short value becomes long JSON")
        // Texts are as they came, and only UTF-8 is JSON.
        guard value.allSatisfy({ $0 < 0x80 }) else { return }
        do { try document.read(json) } catch { preconditionFailure("it is no JSON: \(error)") }
    }
}
