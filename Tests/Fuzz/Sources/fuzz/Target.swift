/// The body that is fuzzed; libFuzzer's callback can capture nothing. Its one thread uses it.
nonisolated(unsafe) var chosen: (UnsafeRawBufferPointer) -> Void = { _ in }

/// The parts of the program that can be fuzzed.
enum Target: String, CaseIterable {
    /// Values and keys of the three input topics.
    case records
    /// Lines of recordings.
    case envelopes
    /// A store's data file and seal.
    case stores
    /// Throughput logs.
    case logs
    /// Avro schemas, and values of them.
    case avro
    /// Rows and changes of other systems.
    case rows

    func makeBody() -> (UnsafeRawBufferPointer) -> Void {
        switch self {
        case .records: RecordsBody().run
        case .envelopes: EnvelopesBody().run
        case .stores: StoresBody().run
        case .logs: LogsBody().run
        case .avro: AvroBody().run
        case .rows: RowsBody().run
        }
    }
}
