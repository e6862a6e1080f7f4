import KafkaClient
import Logging
import TestSupport

@testable import Recording

extension RecordedRecord {
    var keyText: String? { key.map { String(decoding: $0, as: UTF8.self) } }
    var place: String { "\(topic)/\(partition)/\(offset)" }
}

extension RecordingWriter {
    /// Runs a capture into a file and reads it.
    static func capture(
        _ capture: Capture, redaction: Redaction? = nil, isStopped: () -> Bool = { false },
        progress: (CaptureProgress) -> Void = { _ in }
    ) throws -> (records: [RecordedRecord], summary: CaptureSummary, bytes: [UInt8]) {
        try FormatFolder.with { folder in
            let writer = try RecordingWriter(path: folder.file("r.jsonl"))
            let summary = try capture.run(
                into: writer, redaction: redaction, isStopped: isStopped, progress: progress)
            try writer.finish()
            let reader = try RecordingReader(path: folder.file("r.jsonl"), allowsEmpty: true)
            var records: [RecordedRecord] = []
            while let record = try reader.next() { records.append(record) }
            return (records, summary, try folder.bytes("r.jsonl"))
        }
    }
}

extension [RecordedRecord] {
    /// The order that a capture promises, made in the plain way: again and again the smallest of the partitions' heads.
    var merged: [RecordedRecord] {
        var queues: [[RecordedRecord]] = []
        for record in self.sorted(by: { $0.offset < $1.offset }) {
            if let index = queues.firstIndex(where: {
                $0[0].topic == record.topic && $0[0].partition == record.partition
            }) {
                queues[index].append(record)
            } else {
                queues.append([record])
            }
        }
        var result: [RecordedRecord] = []
        while !queues.isEmpty {
            let next = queues.indices.min { left, right in
                let (a, b) = (queues[left][0], queues[right][0])
                return (a.timestamp ?? -1, a.topic, a.partition) < (b.timestamp ?? -1, b.topic, b.partition)
            }
            guard let next else { break }
            result.append(queues[next].removeFirst())
            if queues[next].isEmpty { queues.remove(at: next) }
        }
        return result
    }
}
