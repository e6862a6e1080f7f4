import Bytes
import Records
import Testing

@testable import Sources

/// Connect's schema is parsed once, and its bytes are compared after that: nothing may depend on the text before.
@Suite("A payload behind its schema")
struct PayloadReaderTests {
    private static func schema(_ type: String, _ space: String = "") -> String {
        #"{"schema":\#(space){"fields":[{"field":"at","name":"io.debezium.time.\#(type)"}]},"payload":"#
    }

    /// Reads texts one after the other: of each the payload's JSON and the type of its column, or nil.
    private func read(_ texts: [String]) -> [String] {
        let reader = PayloadReader()
        return texts.map { text in
            var text = text
            return text.withUTF8 { bytes in
                guard let payload = try? reader.read(Bytes(bytes)) else { return "fault" }
                let type = reader.types[Array("at".utf8)].map { "\($0)" } ?? "none"
                return "\(String(decoding: reader.document.text(of: payload), as: UTF8.self)) \(type)"
            }
        }
    }

    @Test("is read by the schema before it, whatever came before")
    func schemas() {
        let (micros, date) = (Self.schema("MicroTimestamp"), Self.schema("Date"))
        let texts = [
            micros + #"{"at":1}}"#, micros + #"{"at":2}}"#, micros + " [3] } \n", date + #"{"at":4}}"#,
            micros + #"{"at":5}}"#, Self.schema("Date", " ") + #"{"at":6}}"#, #"{"at":7}"#, micros + "8}",
            // Broken, or with more behind the payload than a brace.
            micros + #"{"at":9}"#, micros + #"{"at":9}}}"#, micros + "}", micros, micros + "9,}",
            micros + #"{"at":10},"schema2":1}"#, micros + #"{"at":11},"payload":{"at":12}}"#, micros + #"{"at":13}}"#,
            // The payload first, and no schema but a member of that name.
            #"{"payload":{"at":14},"schema":{"fields":[]}}"#, #"{"schema":"public","payload":15}"#, "[16]", "",
        ]
        let together = read(texts)
        #expect(together == texts.map { read([$0])[0] })
        #expect(together[1] == #"{"at":2} time(Sources.TimeUnit.micros)"#)
        #expect(together[2] == "[3] time(Sources.TimeUnit.micros)")
        #expect(together[3] == #"{"at":4} time(Sources.TimeUnit.days)"#)
        #expect(together[6] == #"{"at":7} none"#)
        #expect(together[8...12].allSatisfy { $0 == "fault" })
        #expect(together[13] == #"{"at":10} time(Sources.TimeUnit.micros)"#)
    }
}
