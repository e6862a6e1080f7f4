import Bytes
import Records
import Testing

@testable import Sources

@Suite struct SchemaFrameTests {
    private func frame(_ bytes: [UInt8], header: [UInt8]? = nil) -> (id: String, payload: Int)? {
        bytes.withUnsafeBytes { bytes in
            SchemaFrame(Bytes(bytes), header: header).map { ("\($0.id)", $0.payload.count) }
        }
    }

    @Test func idsStandBeforeTheValueOrInAHeader() throws {
        #expect(try #require(frame([0, 0, 0, 1, 2, 9, 9])) == ("schema id 258", 2))
        #expect(try #require(frame([9, 9], header: [0, 0, 0, 0, 7])) == ("schema id 7", 2))
        let guid: [UInt8] = [
            1, 0x89, 0x79, 0x17, 0x62, 0x23, 0x36, 0x18, 0x6F, 0x96, 0x74, 0x29, 0x9B, 0x90, 0xA8, 0x02, 0xE2,
        ]
        #expect(
            try #require(frame([9, 9], header: guid)) == ("schema GUID 89791762-2336-186f-9674-299b90a802e2", 2))
        // The header counts, also where the value begins with another schema id.
        #expect(try #require(frame([0, 0, 0, 0, 9], header: [0, 0, 0, 0, 7])) == ("schema id 7", 5))
    }

    @Test func whatIsNoFrameIsNone() {
        for bytes: [UInt8] in [[], [0], [0, 0, 0, 1], [1, 2, 3, 4, 5, 6], Array("{}   ".utf8)] {
            #expect(frame(bytes) == nil)
        }
        for header: [UInt8] in [
            [], [0, 0, 0, 1], [0, 0, 0, 0, 1, 2], [2, 0, 0, 0, 1], Array(repeating: 1, count: 16),
        ] {
            #expect(frame([0, 0, 0, 0, 1, 2], header: header) == nil)
        }
    }
}

/// Schemas by their ids, as a registry would have them.
private final class Shelf: SchemaLookup {
    var asked: [SchemaID] = []
    var isAway = false

    func schema(_ id: SchemaID) throws -> RegisteredSchema {
        asked.append(id)
        if isAway { throw RegistryOutage("away", schema: id) }
        switch id {
        case .number(404): throw SourceFailure("unknown")
        case .number(1): return RegisteredSchema(type: "PROTOBUF", text: "syntax")
        case .number(2): return RegisteredSchema(text: "{")
        default: return RegisteredSchema(text: #"{"type":"record","name":"R","fields":[{"name":"id","type":"long"}]}"#)
        }
    }
}

@Suite struct SchemaCacheTests {
    private let shelf = Shelf()

    private func failure(_ cache: SchemaCache, _ id: UInt32) -> String? {
        do {
            _ = try cache.schema(.number(id))
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func aSchemaIsAskedForOnce() throws {
        let cache = SchemaCache(shelf)
        for id: UInt32 in [5, 6, 5, 6, 6] { _ = try cache.schema(.number(id)) }
        #expect(shelf.asked == [.number(5), .number(6)])
    }

    @Test func whatCannotBeUsedIsRememberedForAWhile() {
        let cache = SchemaCache(shelf)
        for _ in 0..<3 {
            #expect(failure(cache, 404) == "unknown")
            #expect(failure(cache, 1)?.contains("is of type 'PROTOBUF'") == true)
            #expect(failure(cache, 2)?.hasPrefix("schema id 2 is no Avro schema") == true)
        }
        #expect(shelf.asked.count == 3)
    }

    @Test func aRegistryThatIsAwayIsAskedAgain() {
        let cache = SchemaCache(shelf)
        shelf.isAway = true
        #expect(failure(cache, 5) == "away")
        shelf.isAway = false
        #expect(failure(cache, 5) == nil)
        #expect(failure(SchemaCache(nil), 5)?.contains("registry.url") == true)
    }

    @Test func itKeepsWithinItsBounds() throws {
        let cache = SchemaCache(shelf)
        for id in 1_000..<UInt32(1_000 + SchemaCache.mostSchemas + 50) { _ = try cache.schema(.number(id)) }
        #expect(cache.count == SchemaCache.mostSchemas)
    }
}

/// Records in frames, through a translator.
@Suite struct FramedRecordTests {
    private static let mapping = """
        - topic: t
          format: avro
          into: answers
          fields: { id: id, questionId: id }
        """

    private func translate(
        _ translator: SourceTranslator, key: [UInt8]?, value: [UInt8]?, _ headers: SchemaHeaders = .none
    ) throws -> [String] {
        var records: [String] = []
        func run(_ key: Bytes?, _ value: Bytes?) throws {
            _ = try translator.translate(topic: "t", partition: 0, key: key, value: value, headers: headers) {
                records.append(String(decoding: $0.value ?? [], as: UTF8.self))
            }
        }
        try (key ?? []).withUnsafeBytes { keyBytes in
            try (value ?? []).withUnsafeBytes { valueBytes in
                try run(key == nil ? nil : Bytes(keyBytes), value == nil ? nil : Bytes(valueBytes))
            }
        }
        return records
    }

    @Test func aKeyIsItsRowsWhateverItsSchemaId() throws {
        let shelf = Shelf()
        let translator = SourceTranslator(try mappings(Self.mapping), index: SourceIndex(), schemas: shelf)
        #expect(
            try translate(translator, key: [0, 0, 0, 0, 7, 10], value: [0, 0, 0, 0, 8, 10])
                == [#"{"id":5,"questionId":5}"#])
        // The same key by another schema, and in a header: the row's tombstone.
        #expect(
            try translate(translator, key: [10], value: nil, SchemaHeaders(key: [0, 0, 0, 0, 9]))
                == [#"{"id":"5","questionId":"5","withdrawn":true}"#])
        // Keys that no registry knows are taken as they are.
        for key: [UInt8] in [[0, 0, 0, 0, 0, 0, 0, 5], [0, 0, 0, 1, 0x94, 1], Array("x".utf8), []] {
            #expect(try translate(translator, key: key, value: [0, 0, 0, 0, 8, 12]).count == 1)
            #expect(try translate(translator, key: key, value: nil).count == 1)
        }
    }

    @Test func aPresetMayHaveAnotherFormat() throws {
        let preset = "- { preset: askbot, topicPrefix: forum.public, format: avro }"
        #expect(try mappings(preset).map(\.format) == [.avro, .avro])
        #expect(
            try read("- { preset: askbot, topicPrefix: a.b, format: arvo }").problems.first?.contains("avro") == true)
    }

    @Test func anOutageLeavesNothingBehind() throws {
        let shelf = Shelf()
        let translator = SourceTranslator(try mappings(Self.mapping), index: SourceIndex(), schemas: shelf)
        shelf.isAway = true
        #expect(throws: RegistryOutage.self) {
            try translate(translator, key: [0, 0, 0, 0, 7, 10], value: [0, 0, 0, 0, 8, 10])
        }
        #expect(throws: RegistryOutage.self) { try translator.fetch(.number(8)) }
        shelf.isAway = false
        try translator.fetch(.number(8))
        shelf.isAway = true
        // The value's schema is known by now, the key's is not.
        #expect(throws: RegistryOutage.self) {
            try translate(translator, key: [0, 0, 0, 0, 7, 10], value: [0, 0, 0, 0, 8, 10])
        }
        #expect(try translate(translator, key: Array("k".utf8), value: [0, 0, 0, 0, 8, 10]).count == 1)
    }
}
