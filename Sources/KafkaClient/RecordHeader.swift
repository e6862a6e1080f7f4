/// A record header. Names may repeat in a record; a null value differs from an empty one.
package struct RecordHeader: Sendable, Equatable {
    /// UTF-8 on the wire.
    package var name: String
    /// nil is Kafka's null.
    package var value: [UInt8]?

    /// - Parameter value: nil is Kafka's null.
    package init(name: String, value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    /// A header with a text, as UTF-8.
    package init(_ name: String, _ text: String) {
        self.init(name: name, value: Array(text.utf8))
    }
}
