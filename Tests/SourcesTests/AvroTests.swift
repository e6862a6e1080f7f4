import Bytes
import Foundation
import Records
import Testing

@testable import Sources

/// Avro that another program wrote (`Python/record_avro.py`), and bytes that are none.
@Suite struct AvroTests {
    struct Case: Decodable, CustomTestStringConvertible {
        var name: String
        var schema: String
        var bytes: String
        var json: String
        var testDescription: String { name }

        var content: [UInt8] {
            stride(from: 0, to: bytes.utf8.count, by: 2).map { start in
                let digits = bytes.dropFirst(start).prefix(2)
                return UInt8(digits, radix: 16)!
            }
        }
    }

    static let cases: [Case] = {
        let url = Bundle.module.url(forResource: "avro", withExtension: "json", subdirectory: "Resources")!
        return try! JSONDecoder().decode([Case].self, from: Data(contentsOf: url))
    }()

    private let decoder = AvroDecoder()

    private func schema(_ text: String, references: [String] = []) throws -> AvroSchema {
        try AvroSchemaReader.read(RegisteredSchema(text: text, references: references))
    }

    private func decode(_ bytes: [UInt8], _ schema: AvroSchema) throws -> String {
        // Memory of its own, so that a sanitizer or valgrind sees every byte too many.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        return String(decoding: try decoder.decode(Bytes(memory), schema), as: UTF8.self)
    }

    private func failure(_ bytes: [UInt8], _ schema: String) throws -> String {
        let schema = try self.schema(schema)
        do {
            return "no failure: " + (try decode(bytes, schema))
        } catch {
            return "\(error)"
        }
    }

    private func schemaFailure(_ text: String, references: [String] = []) -> String? {
        do throws(SourceFailure) {
            _ = try AvroSchemaReader.read(RegisteredSchema(text: text, references: references))
            return nil
        } catch {
            return error.description
        }
    }

    @Test(arguments: cases) func isWhatItsWriterMeant(_ written: Case) throws {
        #expect(try decode(written.content, try schema(written.schema)) == written.json)
    }

    @Test(arguments: cases) func everyBeginningOfAValueIsRefused(_ written: Case) throws {
        let schema = try schema(written.schema)
        let bytes = written.content
        for count in 0..<bytes.count {
            #expect(throws: SourceFailure.self) { try self.decode(Array(bytes[..<count]), schema) }
        }
        #expect(throws: SourceFailure.self) { try self.decode(bytes + [0], schema) }
    }

    @Test(arguments: cases) func whateverStandsThereIsAValueOrAnError(_ written: Case) throws {
        let schema = try schema(written.schema)
        var random = SystemRandomNumberGenerator()
        let document = JSONDocument()
        for _ in 0..<1_000 {
            var bytes = written.content
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let json = try? decode(bytes, schema) else { continue }
            var text = json
            // Only text that is not UTF-8 is left to the reader of the JSON, and `decoding:` has mended that.
            text.withUTF8 { text in #expect(throws: Never.self) { try document.read(Bytes(text)) } }
        }
    }

    // MARK: - Hostile bytes

    private static let many: [UInt8] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]  // 2^60

    @Test func aBlockOfCountlessNothingsEnds() throws {
        let nulls = #"{"type":"array","items":"null"}"#
        #expect(try failure(Self.many, nulls).contains("longer than 4 MiB"))
        let empty = #"{"type":"array","items":{"type":"record","name":"E","fields":[]}}"#
        #expect(try failure(Self.many, empty).contains("longer than 4 MiB"))
        #expect(try failure(Self.many, #"{"type":"array","items":"long"}"#) == "it ends too early")
    }

    @Test func lengthsAreCheckedBeforeTheyAreBelieved() throws {
        let array = #"{"type":"array","items":"null"}"#
        let lowest: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]
        #expect(try failure(lowest, array) == "it has a block of -9223372036854775808 elements")
        #expect(try failure([0x01, 0x01, 0], array) == "it has the length -1")
        #expect(try failure([0x01, 0x7E, 0], array) == "it asks for 63 bytes, and 1 are left")
        #expect(try failure(Self.many, #""string""#).hasPrefix("it asks for 1152921504606846976 bytes"))
        #expect(try failure([0x01], #""bytes""#) == "it has the length -1")
        #expect(try failure([0x80], #""long""#) == "it ends too early")
        #expect(try failure(Array(repeating: 0xFF, count: 11), #""long""#) == "it has a number of more than 64 bits")
        #expect(try failure([0xFE, 0xFF, 0xFF, 0xFF, 0x1F], #""int""#) == "it has an int of more than 32 bits")
        #expect(try failure([0x06], #"["null","int"]"#) == "it has the branch 3 of a union that has 2")
        #expect(try failure([0x01], #"["null","int"]"#) == "it has the branch -1 of a union that has 2")
        #expect(try failure([2], #""boolean""#) == "it has the byte 2 for a boolean")
        let row = #"{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":"int"}}]}"#
        #expect(try failure([0x02], row) == "field 'a': it ends too early")
    }

    @Test func depthIsBounded() throws {
        let itself = #"{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}"#
        #expect(try failure([], itself).contains("nested more than 200 deep"))
        let list = #"{"type":"record","name":"R","fields":[{"name":"r","type":["null","R"]}]}"#
        #expect(try failure(Array(repeating: 2, count: 10_000) + [0], list).contains("nested more than 200 deep"))
        #expect(try decode([2, 2, 0], try schema(list)) == #"{"r":{"r":{"r":null}}}"#)
        let deep =
            String(repeating: #"{"type":"array","items":"#, count: 120) + #""int""# + String(repeating: "}", count: 120)
        #expect(schemaFailure(deep) == "it has types nested more than 100 deep")
        let tooDeep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)
        #expect(schemaFailure(tooDeep) == "it has types nested more than 100 deep")
    }

    // MARK: - Schemas

    @Test func namesAreFoundAsTheSpecificationHasIt() throws {
        let text = #"""
            {"type":"record","name":"x.Outer","fields":[
              {"name":"a","type":{"type":"enum","name":"E","symbols":["A"]}},
              {"name":"b","type":"x.E"},{"name":"c","type":["null","E"]},
              {"name":"d","type":{"type":"record","name":"y.Inner","fields":[{"name":"e","type":"x.E"}]}},
              {"name":"f","type":"y.Inner"},{"name":"g","type":{"type":{"type":"string"}}}]}
            """#
        let row = try schema(text)
        #expect(
            try decode([0, 0, 2, 0, 0, 0, 2, 0x67], row)
                == #"{"a":"A","b":"A","c":"A","d":{"e":"A"},"f":{"e":"A"},"g":"g"}"#)
        let other = #"{"type":"record","name":"x.Other","fields":[{"name":"o","type":"Outer"}]}"#
        #expect(schemaFailure(other)?.contains("names the type 'Outer'") == true)
        #expect(schemaFailure(other, references: [text]) == nil)
        #expect(schemaFailure(#"{"type":"record","name":"R"}"#) == "it has a record without 'fields'")
        #expect(schemaFailure("[1]")?.contains("where a type belongs") == true)
        #expect(schemaFailure("long") == nil)
    }

    @Test func anEnvelopeIsKnownByItsFields() throws {
        let row =
            #"{"type":"record","name":"V","fields":[{"name":"meta","type":["null",{"type":"string","#
            + #""connect.name":"io.debezium.data.Json"}]}]}"#
        let envelope = #"""
            {"type":"record","name":"E","fields":[{"name":"before","type":["null",\#(row)]},
            {"name":"after","type":["null","V"]},{"name":"op","type":"string"}]}
            """#
        #expect(try schema(envelope).isEnvelope)
        #expect(try schema(envelope).columnTypes[Array("meta".utf8)] == .json)
        #expect(try !schema(row).isEnvelope)
        #expect(try schema(row).columnTypes[Array("meta".utf8)] == .json)
    }

    @Test func columnsOfBytesAreKnown() throws {
        let row = #"""
            {"type":"record","name":"V","fields":[{"name":"b","type":["null","bytes"]},
            {"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}},{"name":"s","type":"string"}]}
            """#
        let types = try schema(row).columnTypes
        #expect(types[Array("b".utf8)] == .bytes)
        #expect(types[Array("d".utf8)] == nil && types[Array("s".utf8)] == nil)
    }
}
