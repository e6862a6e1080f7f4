import Foundation
import Testing

@testable import Records

/// The reader answers for any bytes.
struct HostileInputTests {
    let reader = RecordReader()

    @Test func everyPrefixIsRefused() {
        for (kind, record) in Sample.all {
            let bytes = Array(record.utf8)
            for length in 0..<bytes.count {
                let error = recordError { try reader.read(kind, key: [0x71, 0x31], value: Array(bytes[..<length])) }
                #expect(error?.code == .invalidJSON, "\(kind) cut after \(length) bytes")
            }
        }
    }

    @Test func everySingleByte() {
        for byte in UInt8.min...UInt8.max {
            let error = recordError { try reader.read(.question, key: [0x71], value: [byte]) }
            #expect(error?.code == (0x30...0x39 ~= byte ? .schema : .invalidJSON))
        }
    }

    @Test func randomBytes() {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            for kind in Kind.allCases {
                #expect(throws: RecordError.self) { try reader.read(kind, key: bytes, value: bytes) }
            }
        }
    }

    /// Records with a byte or a piece changed, so that the damage lies deep in an otherwise good record. Foundation,
    /// which knows nothing of the contract, says which of them are JSON at all.
    @Test func damagedRecordsAreJSONWhenFoundationSaysSo() {
        var random = SeededGenerator(seed: 2)
        let alphabet =
            Array(#"{}[]",:\u0123456789eE+-.tfnd8 "#.utf8) + [
                0x00, 0x0A, 0x1F, 0x7F, 0x80, 0xC3, 0xA9, 0xED, 0xA0, 0xFF,
            ]
        var counts = (good: 0, bad: 0)
        for round in 0..<12_000 {
            let (kind, record) = Sample.all[round % Sample.all.count]
            var bytes = Array(record.utf8)
            for _ in 0...Int.random(in: 0...2, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                let byte = alphabet.randomElement(using: &random) ?? 0
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[index] = byte
                case 1: bytes.insert(byte, at: index)
                case 2: bytes.remove(at: index)
                default:
                    let other = Int.random(in: index..<bytes.count, using: &random)
                    bytes.insert(contentsOf: bytes[index..<min(other, index + 20)], at: index)
                }
            }
            guard let isJSON = foundationVerdict(bytes) else { continue }
            var code: RecordErrorCode?
            do { _ = try reader.read(kind, key: [0x71, 0x31], value: bytes) } catch {
                code = (error as? RecordError)?.code
            }
            #expect((code != .invalidJSON) == isJSON, "\(String(decoding: bytes, as: UTF8.self))")
            if isJSON { counts.good += 1 } else { counts.bad += 1 }
        }
        #expect(counts.good > 1000 && counts.bad > 1000, "the comparison means something only with both: \(counts)")
    }

    /// nil where Foundation's own limits, not JSON's, would decide.
    private func foundationVerdict(_ bytes: [UInt8]) -> Bool? {
        // It guesses at UTF-16 and UTF-32 where zeros are, and lets a comma stand before a closing bracket.
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else { return nil }
        guard text.firstMatch(of: #/,\s*[\]}]/#) == nil else { return nil }
        if (try? JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])) != nil { return true }
        // It refuses half a surrogate pair, which RFC 8259's grammar allows.
        return text.firstMatch(of: #/\\u[dD][89a-fA-F]/#) == nil ? false : nil
    }
}
