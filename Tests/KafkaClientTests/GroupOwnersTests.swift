import KafkaClient
import Testing

/// Members' assignments, as brokers hand them out.
@Suite struct GroupOwnersTests {
    /// Version 1: two topics of two partitions and one, no user data.
    private static let assignment: [UInt8] =
        [0, 1, 0, 0, 0, 2]
        + [0, 2] + Array("q1".utf8) + [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 2]
        + [0, 1] + Array("a".utf8) + [0, 0, 0, 1, 0, 0, 0, 7]
        + [0xff, 0xff, 0xff, 0xff]

    @Test("an assignment names its topics' partitions")
    func places() {
        let places = Self.assignment.withUnsafeBytes { GroupOwners.places(in: $0) }
        #expect(
            places == [
                TopicPartition(topic: "q1", partition: 0), TopicPartition(topic: "q1", partition: 258),
                TopicPartition(topic: "a", partition: 7),
            ])
        #expect(GroupOwners.places(in: UnsafeRawBufferPointer(start: nil, count: 0)) == [])
    }

    @Test("one that is cut anywhere before its user data is none")
    func cut() {
        for length in 1..<(Self.assignment.count - 4) {
            let places = Self.assignment[..<length].withUnsafeBytes { GroupOwners.places(in: $0) }
            #expect(places == nil, "\(length) bytes")
        }
    }

    @Test("counts that the bytes cannot hold are refused at once")
    func hugeCounts() {
        let huge: [UInt8] = [0, 1, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0x7f, 0xff, 0xff, 0xff]
        #expect(huge.withUnsafeBytes { GroupOwners.places(in: $0) } == nil)
    }
}
