import Bytes

/// A worker's note of the offsets that its group has committed for a partition: the only copy outside the brokers. A
/// group's offsets expire when all its workers are away for long (`offsets.retention.minutes`); without the note, such
/// a group could not be told from a new one.
///
/// Written from time to time, so the group may have committed more since; it has never committed less, unless its
/// offsets were reset.
package struct CommittedMark: Sendable, Equatable {
    /// The Kafka cluster's id, as the brokers report it.
    package var clusterID: String
    /// The consumer group of the offsets.
    package var group: String
    /// The input topics, in the order of their offsets.
    package var topics: [String]
    /// nil: no offset was committed.
    package var offsets: [Int64?]

    /// - Parameter offsets: one for each topic, in their order.
    package init(clusterID: String, group: String, topics: [String], offsets: [Int64?]) {
        self.clusterID = clusterID
        self.group = group
        self.topics = topics
        self.offsets = offsets
    }

    /// The file's content: one line for each part, and a last one with the checksum. Offsets have a fixed width.
    var bytes: [UInt8] {
        let lines = [Self.header, clusterID, group] + topics + offsets.map(Self.line)
        let text = lines.map { $0 + "\n" }.joined()
        return Array((text + Self.checksum(of: text) + "\n").utf8)
    }

    /// nil: the file is damaged or of another version. Remains of a longer mark after this one are ignored.
    init?(_ bytes: [UInt8]) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 10, lines[0] == Self.header else { return nil }
        let text = lines[..<9].map { $0 + "\n" }.joined()
        guard Self.checksum(of: text) == lines[9] else { return nil }
        clusterID = String(lines[1])
        group = String(lines[2])
        topics = lines[3..<6].map(String.init)
        offsets = lines[6..<9].map { line in Int64(line).flatMap { $0 >= 0 ? $0 : nil } }
    }

    private static let header = "rejoinder-committed 1"

    private static func line(_ offset: Int64?) -> String {
        offset.map { padded(String($0), to: 19) } ?? "-" + padded("1", to: 18)
    }

    private static func checksum(of text: String) -> String {
        padded(
            String(
                StaticKey.withBytes(text) { Checksum.of(key: Bytes(start: nil, count: 0), value: $0) }, radix: 16),
            to: 16)
    }

    private static func padded(_ digits: String, to length: Int) -> String {
        String(repeating: "0", count: max(0, length - digits.utf8.count)) + digits
    }
}

extension StateDirectory {
    private func markFile(_ partition: Int32) -> String { "\(path)/committed/\(partition)" }

    /// The note of a partition's committed offsets; nil if there is none or it cannot be read.
    package func committedMark(of partition: Int32) -> CommittedMark? {
        (try? FileSystem.read(markFile(partition), limit: 64 << 10)).flatMap { CommittedMark($0) }
    }

    /// Writes a partition's note, outside its store, which may have to be rebuilt. A note cut short by a power loss
    /// counts as missing.
    package func note(_ mark: CommittedMark, of partition: Int32) throws(SystemFailure) {
        try FileSystem.makeDirectories("\(path)/committed")
        try FileSystem.overwrite(markFile(partition), with: mark.bytes, isSynced: false)
    }
}
