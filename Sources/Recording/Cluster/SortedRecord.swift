import Bytes

/// A record in a ``RecordSorter``, which owns its bytes.
struct SortedRecord {
    /// The first sort key: a timestamp or an offset.
    var rank: Int64
    var offset: Int64
    /// Milliseconds since 1970; -1 is Kafka's value for none.
    var time: Int64
    /// Bits for the sorter's caller.
    var tag: UInt8
    /// nil is Kafka's null.
    var key: Bytes?
    /// nil is Kafka's null.
    var value: Bytes?
    /// In ``PackedHeaders``'s form; empty without headers.
    var headers: Bytes

    var timestamp: Int64? { time < 0 ? nil : time }
}
