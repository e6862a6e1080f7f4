import Records
import Testing

@testable import Worker

@Suite("The header rejoinder.from")
struct ProvenanceTests {
    @Test(
        "written without allocation, and read back",
        arguments: [
            Provenance(partition: 0, offset: 0, answers: 0, votes: 0),
            Provenance(partition: 3, offset: 1017, answers: 5020, votes: 9),
            Provenance(partition: .max, offset: .max, answers: .max, votes: .max),
        ])
    func roundTrip(_ from: Provenance) {
        let writer = ProvenanceWriter()
        let bytes = withExtendedLifetime(writer) { Array(writer.write(from)) }
        #expect(String(decoding: bytes, as: UTF8.self) == from.text)
        #expect(bytes.count <= Provenance.maxBytes)
        #expect(Provenance(bytes) == from)
    }

    @Test(
        "anything else is no such value",
        arguments: [
            "", "1 2 3", "1 2 3 4 5", " 1 2 3 4", "1 2 3 4 ", "1  2 3", "-1 2 3 4", "+1 2 3 4", "1 2 3 x",
            "2147483648 1 1 1",
            "1 9223372036854775808 1 1",
        ])
    func refused(_ text: String) { #expect(Provenance(Array(text.utf8)) == nil) }
}
