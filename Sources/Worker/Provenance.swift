import Bytes
import KafkaClient

/// The origin of an enriched record: its question event, and how far both tables had been applied. It is the value of
/// the header `rejoinder.from`, by which `rejoinder verify` makes the record again.
///
/// Four decimal numbers separated by spaces: the event's partition and offset, and the offsets of the first answer and
/// the first vote that were not applied yet.
package struct Provenance: Sendable, Equatable {
    /// The header's name.
    package static let name = "rejoinder.from"
    /// ``name`` for the hot loop.
    static let staticName: StaticString = "rejoinder.from"
    /// More bytes than the longest value has.
    static let maxBytes = 80
    /// The header's share of a record's room, for all numbers alike: a value's length may not depend on them.
    package static let headerRoom = RecordLimits.room(ofHeader: name.utf8.count, value: maxBytes)

    /// The question event's partition, and the tables'.
    package var partition: Int32
    /// The question event's offset.
    package var offset: Int64
    /// The offset of the first answer that was not applied.
    package var answers: Int64
    /// The offset of the first vote that was not applied.
    package var votes: Int64

    /// - Parameters:
    ///   - answers: the offset of the first answer that was not applied.
    ///   - votes: the offset of the first vote that was not applied.
    package init(partition: Int32, offset: Int64, answers: Int64, votes: Int64) {
        self.partition = partition
        self.offset = offset
        self.answers = answers
        self.votes = votes
    }

    /// Parses a header's value; nil: it is malformed.
    package init?(_ value: some Collection<UInt8>) {
        guard value.count <= Self.maxBytes else { return nil }
        let words = value.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 4 else { return nil }
        let numbers = words.compactMap { word -> Int64? in
            let isPlain = !word.isEmpty && word.allSatisfy { (0x30...0x39).contains($0) }
            return isPlain ? Int64(String(decoding: word, as: UTF8.self)) : nil
        }
        guard numbers.count == 4, let partition = Int32(exactly: numbers[0]) else { return nil }
        self.init(partition: partition, offset: numbers[1], answers: numbers[2], votes: numbers[3])
    }

    /// The origin of an enriched record, from the last header of the name, which is the worker's. nil: there is none
    /// that can be read.
    package init?(of message: ConsumedMessage) {
        var value: [UInt8]?
        message.forEachHeader { name, bytes in
            if Self.isName(name) { value = bytes.map(Array.init) }
        }
        guard let value else { return nil }
        self.init(value)
    }

    /// Whether a header's name is ``name``.
    package static func isName(_ bytes: Bytes) -> Bool { bytes.elementsEqual(name.utf8) }

    /// The header's value.
    package var text: String { "\(partition) \(offset) \(answers) \(votes)" }
}

/// Writes the header's values into memory that it owns, without an allocation. Lane thread only.
final class ProvenanceWriter {
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Provenance.maxBytes, alignment: 8)

    deinit { memory.deallocate() }

    /// - Returns: the value, valid until the next call.
    func write(_ from: Provenance) -> Bytes {
        // From the end: a number's digits come last first.
        var start = memory.count
        func put(_ number: Int64) {
            var rest = UInt64(bitPattern: max(0, number))
            repeat {
                start -= 1
                memory[start] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
                rest /= 10
            } while rest > 0
        }
        func space() {
            start -= 1
            memory[start] = 0x20
        }
        put(from.votes)
        space()
        put(from.answers)
        space()
        put(from.offset)
        space()
        put(Int64(from.partition))
        return Bytes(rebasing: memory[start...])
    }
}
