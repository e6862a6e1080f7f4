/// A batch of messages that are released together, and of the ends of partitions that came between them. Reused from
/// step to step; allocates only when it grows.
///
/// Not Sendable: belongs to the thread that polls.
package final class MessageBatch {
    /// Every record of the partition before `offset` has been handed out.
    package struct PartitionEnd {
        package let place: TopicPartition
        package let offset: Int64

        package init(place: TopicPartition, offset: Int64) { (self.place, self.offset) = (place, offset) }
    }

    private var storage: UnsafeMutablePointer<ConsumedMessage>
    private var capacity: Int
    /// Messages that the batch holds and releases.
    package private(set) var count = 0
    /// Bytes of all keys and values.
    package private(set) var byteCount = 0
    /// In the order of their arrival.
    package private(set) var ends: [PartitionEnd] = []

    /// - Parameter capacity: the number of messages that fit before it has to grow.
    package init(capacity: Int) {
        self.capacity = max(1, capacity)
        storage = .allocate(capacity: self.capacity)
    }

    deinit {
        removeAll()
        storage.deallocate()
    }

    /// Whether the batch holds no message.
    package var isEmpty: Bool { count == 0 }

    /// Takes ownership of the message; `removeAll` releases it.
    package func append(_ message: ConsumedMessage) {
        if count == capacity { grow() }
        (storage + count).initialize(to: message)
        count += 1
        byteCount += message.byteCount
    }

    /// Notes the end of a partition that came after the messages so far.
    package func append(_ end: PartitionEnd) { ends.append(end) }

    /// Lends a message: its memory is valid until ``removeAll()``. Stops the process for an index that has none.
    package subscript(index: Int) -> ConsumedMessage {
        precondition(index >= 0 && index < count, "a batch of \(count) messages has no message \(index)")
        return storage[index]
    }

    /// The key of the message at an index, which may be past the end: nil there, and where the key is null.
    package func key(at index: Int) -> UnsafeRawBufferPointer? { index < count ? storage[index].key : nil }

    /// Releases every message and forgets the ends; keeps the memory for the next batch.
    package func removeAll() {
        for index in 0..<count { storage[index].release() }
        count = 0
        byteCount = 0
        if !ends.isEmpty { ends.removeAll(keepingCapacity: true) }
    }

    // A message is a trivial type, so moving and forgetting it needs no deinitialization.
    private func grow() {
        let larger = UnsafeMutablePointer<ConsumedMessage>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: storage, count: count)
        storage.deallocate()
        storage = larger
        capacity *= 2
    }
}
