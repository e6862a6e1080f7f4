import Bytes
import Foundation

/// The last line of a recording that `rejoinder record` writes: what is in the file, and where it comes from. Its
/// format is in `Schemas/recording.schema.json`.
package struct RecordingManifest: Codable, Sendable, Equatable {
    /// The bounds as they were asked for.
    package struct Window: Codable, Sendable, Equatable {
        var from: String
        /// nil: it went on with new records.
        var to: String?

        /// - Parameter to: nil: the recording went on with new records.
        package init(from: String, to: String?) {
            self.from = from
            self.to = to
        }
    }

    /// The offsets of a partition that were read. `to` is the first one after them.
    struct Partition: Codable, Sendable, Equatable {
        var partition: Int32
        var from: Int64
        var to: Int64
    }

    /// A recorded topic, and the part of it that was read.
    struct Topic: Codable, Sendable, Equatable {
        /// As in the file's records.
        var topic: String
        var records: Int
        var partitions: [Partition]
    }

    /// Timestamps, in RFC 3339's format.
    struct Times: Codable, Sendable, Equatable {
        var from: String
        var to: String
    }

    /// Offsets whose records the brokers no longer had. `to` is the first one after them.
    struct Gap: Codable, Sendable, Equatable {
        var topic: String
        var partition: Int32
        var from: Int64
        var to: Int64
    }

    /// The reason why the recording ended.
    enum End: String, Codable, Sendable {
        /// At the window's end, or at the asked time or size.
        case complete
        /// By a signal.
        case stopped
        /// By an error: what came after it is not in the file.
        case failed
    }

    /// The format's number. A reader does not check the records by a manifest with a higher one.
    static let presentFormat = 1

    var format = Self.presentFormat
    /// Records between the first line and this one.
    var records = 0
    /// SHA-256 of these records' lines, each with its line feed, in hexadecimal digits.
    var sha256 = ""
    /// The recorder's version.
    var rejoinder: String
    var librdkafka: String
    /// When the recording ended, in RFC 3339's format.
    var recordedAt: String
    var window: Window
    var topics: [Topic]
    /// The oldest and the youngest timestamp; nil when no record has one.
    var times: Times?
    var ended: End
    var gaps: [Gap]
    /// The share of the questions.
    var sample: String?
    /// The number of chosen keys; nil: all.
    var keys: Int?
    /// The names of redacted fields.
    var redacted: [String]?
    /// Records of open and aborted transactions are in it too.
    var uncommitted: Bool?

    init(
        rejoinder: String, librdkafka: String, recordedAt: Date, window: Window, topics: [Topic] = [],
        times: ClosedRange<Int64>? = nil, ended: End = .complete, gaps: [Gap] = []
    ) {
        self.rejoinder = rejoinder
        self.librdkafka = librdkafka
        self.recordedAt = Excerpt.time(Int64(recordedAt.timeIntervalSince1970) * 1_000)
        self.window = window
        self.topics = topics
        self.times = times.map { Times(from: Excerpt.time($0.lowerBound), to: Excerpt.time($0.upperBound)) }
        self.ended = ended
        self.gaps = gaps
    }
}

/// The two lines of a recording that are no records.
enum RecordingMark {
    /// The first line, by which a reader knows that the last one is a manifest.
    case beginning
    /// The last line; nil: it is one of a newer format, or damaged.
    case manifest(RecordingManifest?)

    static let firstLine =
        "{\"recording\":{\"format\":\(RecordingManifest.presentFormat),\"manifest\":\"last line\"}}\n"

    private struct Line: Codable {
        var manifest: RecordingManifest
    }

    static func lastLine(_ manifest: RecordingManifest) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and integers can always be encoded.
        let text = (try? encoder.encode(Line(manifest: manifest))) ?? Data()
        return Array(text) + [0x0A]
    }

    /// - Parameter line: a line that is no record.
    init?(_ line: UnsafeRawBufferPointer) {
        guard let value = JSONValue(line), value.kind == .object, value.members.count == 1 else { return nil }
        switch value.members[0].name {
        case "recording": self = .beginning
        case "manifest":
            let manifest = try? JSONDecoder().decode(Line.self, from: Data(line)).manifest
            self = .manifest(manifest.flatMap { $0.format <= RecordingManifest.presentFormat ? $0 : nil })
        default: return nil
        }
    }
}
