extension UnsafeRawBufferPointer {
    /// Lends an array's bytes to `body`, at an address even where there are none.
    package static func lend<Result, Failure>(
        _ bytes: [UInt8], to body: (Bytes) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard !bytes.isEmpty else {
            return try lend([0]) { (byte) throws(Failure) in try body(Bytes(rebasing: byte.prefix(0))) }
        }
        return try bytes.withUnsafeBufferPointer { (bytes) throws(Failure) in try body(Bytes(bytes)) }
    }

    /// The same for Kafka's keys and values, of which nil is null.
    package static func lend<Result, Failure>(
        optional bytes: [UInt8]?, to body: (Bytes?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let bytes else { return try body(nil) }
        return try lend(bytes) { (bytes) throws(Failure) in try body(bytes) }
    }
}
