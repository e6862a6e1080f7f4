import Foundation
import Testing

@testable import Records

/// The reader against the table of good and bad records. The Python tests beside these hold JSON Schema to the same
/// table.
struct CaseTableTests {
    struct Case: Decodable, CustomTestStringConvertible {
        let name: String
        let kind: Kind
        let key: String?
        let keyBase64: Data?
        let value: String?
        let valueBase64: Data?
        let expected: String

        var testDescription: String { "\(kind): \(name)" }
        var keyBytes: [UInt8]? { keyBase64.map(Array.init) ?? key.map { Array($0.utf8) } }
        var valueBytes: [UInt8]? { valueBase64.map(Array.init) ?? value.map { Array($0.utf8) } }
    }

    static func table() throws -> [Case] {
        let file = try #require(
            Bundle.module.url(forResource: "cases", withExtension: "jsonl", subdirectory: "Resources"))
        let decoder = JSONDecoder()
        return try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).map {
            try decoder.decode(Case.self, from: $0)
        }
    }

    /// One test for the whole table: a reader that is used again must not remember anything of the record before.
    @Test func readerAgreesWithTheTable() throws {
        let table = try Self.table()
        #expect(table.count >= 250)
        let reader = RecordReader()
        for line in table + table.reversed() {
            let verdict = verdict(of: reader, on: line)
            #expect(verdict == line.expected, "\(line.testDescription)")
        }
    }

    /// `load` reads the id alone, without a key to compare.
    @Test func questionIDAgreesWithTheTable() throws {
        let reader = RecordReader()
        for line in try Self.table() {
            guard let value = line.valueBytes else { continue }
            let verdict = value.withUnsafeBytes { value in
                do throws(RecordError) {
                    let id =
                        switch line.kind {
                        case .question: try reader.questionID(ofQuestion: value)
                        case .answer: try reader.questionID(ofAnswer: value)
                        case .vote: try reader.questionID(ofVote: value)
                        }
                    return line.keyBytes == Array(id) ? "ok" : "key-mismatch"
                } catch {
                    return error.code.rawValue
                }
            }
            #expect(verdict == line.expected, "\(line.testDescription)")
        }
    }

    @Test func messagesAreShortPrintableSentences() throws {
        let reader = RecordReader()
        for line in try Self.table() where line.expected != "ok" {
            let error = try #require(
                recordError { try reader.read(line.kind, key: line.keyBytes, value: line.valueBytes) })
            #expect(error.message.utf8.count <= 300, "\(line.testDescription): \(error.message)")
            #expect(error.message.count > 20)
            #expect(!error.message.unicodeScalars.contains { $0.properties.generalCategory == .control })
        }
    }

    private func verdict(of reader: RecordReader, on line: Case) -> String {
        do {
            _ = try reader.read(line.kind, key: line.keyBytes, value: line.valueBytes)
            return "ok"
        } catch let error as RecordError {
            return error.code.rawValue
        } catch {
            return "\(error)"
        }
    }
}
