import Bytes
import Foundation

/// Replays recordings' files through an engine.
package struct Replay {
    /// The order of the tables' records: as recorded, or all before the first question, as for a worker that takes over
    /// after everything was recorded.
    package enum Order: Sendable {
        case asRecorded
        case tablesFirst
    }

    /// Paths, replayed one after the other; `-` is standard input.
    package var files: [String]
    /// The order of the tables' records.
    package var order: Order

    /// - Parameter files: at least one; `-` only with the order as recorded, since the other reads files twice.
    package init(files: [String], order: Order = .asRecorded) {
        self.files = files
        self.order = order
    }

    /// - Parameter progress: called from time to time with the number of bytes read.
    /// - Returns: reasons to doubt that the files are whole, as sentences without their ends.
    /// - Throws: ``RecordingError`` with the line, ``ReplayError``, and the errors of engine and sink.
    @discardableResult
    package func run(
        _ engine: ReplayEngine, into sink: some ReplaySink, progress: (_ bytes: Int) -> Void = { _ in }
    ) throws -> [String] {
        var bytes = 0
        var warnings: [String] = []
        func pass(_ isWanted: (ReplayInput?) -> Bool) throws {
            for file in files {
                // Among several files some may be empty; the replay needs only one with a record.
                let reader = try RecordingReader(path: file, allowsEmpty: files.count > 1)
                while try reader.advance() {
                    let record = reader.view
                    let input = engine.input(record.topic)
                    if isWanted(input) { try engine.feed(record, of: input, into: sink) }
                    if reader.recordCount & 0xFFF == 0 { progress(bytes + reader.bytesRead) }
                }
                bytes += reader.bytesRead
                warnings += reader.warnings.filter { !warnings.contains($0) }
            }
        }
        switch order {
        case .asRecorded:
            try pass { _ in true }
        case .tablesFirst:
            if files.contains("-") {
                throw ReplayError(
                    "with the tables first a recording is read twice, and standard input cannot be; give a file")
            }
            try pass { $0 != nil && $0 != .questions }
            bytes = 0
            try pass { $0 == nil || $0 == .questions }
        }
        try engine.finish(into: sink)
        return warnings
    }
}

/// Writes a replay's outputs as a recording.
package final class RecordingSink: ReplaySink {
    private let writer: RecordingWriter
    private let takesEnriched: Bool
    private let takesDeadLetters: Bool

    /// - Parameter kinds: the kinds of outputs to write.
    package init(_ writer: RecordingWriter, kinds: Set<ReplayOutput.Kind> = [.enriched, .deadLetter]) {
        self.writer = writer
        takesEnriched = kinds.contains(.enriched)
        takesDeadLetters = kinds.contains(.deadLetter)
    }

    /// Writes an output of a wanted kind, and drops the others.
    /// - Throws: ``RecordingError``.
    package func take(_ output: ReplayOutput) throws {
        guard output.kind == .enriched ? takesEnriched : takesDeadLetters else { return }
        var topic = output.topic
        try topic.withUTF8 {
            try writer.write(
                topic: Bytes($0), partition: output.partition, offset: output.offset,
                timestampType: output.timestampType, timestamp: output.timestamp, headers: output.headers,
                key: output.key, value: output.value)
        }
    }
}

/// Passes outputs to two sinks.
package final class PairSink: ReplaySink {
    private let first: any ReplaySink
    private let second: any ReplaySink

    /// - Parameter first: takes each output before the second, which does not get the output if the first throws.
    package init(_ first: any ReplaySink, _ second: any ReplaySink) {
        self.first = first
        self.second = second
    }

    /// Passes the output to the first sink, then to the second.
    package func take(_ output: ReplayOutput) throws {
        try first.take(output)
        try second.take(output)
    }
}
