import Records

/// The events that come next, as far as anybody told: their keys and the hashes of these. Counts from the last `removeAll`.
struct ComingEvents {
    /// How many events are told of ahead.
    static let ahead = 32
    /// Far enough for memory to answer, near enough for what it answered not to be gone again.
    private static let nearBy = 4
    /// Lookups are prepared for this many events at once, when the first of them is so many events away.
    private static let groupCount = 16
    private static let groupDistance = 8

    private struct Event {
        var key: Bytes
        var hash: UInt64
    }

    /// A ring, indexed by the event's number.
    private let events = UnsafeMutablePointer<Event>.allocate(capacity: ringCount)
    private static let ringCount = 64
    private static let ringMask = ringCount - 1

    /// How many events were told of, are or were worked on, and were handed out in groups.
    private var told = 0
    private var begun = 0
    private var grouped = 0
    /// Whether the event that is worked on was told of.
    private var isTold = false

    func deallocate() { events.deallocate() }

    @inline(__always)
    mutating func removeAll() {
        (told, begun, grouped) = (0, 0, 0)
        isTold = false
    }

    /// What does not fit in the ring any more is not noted, and what is prepared is another event's then: of no use, and no harm.
    /// - Parameter key: empty and nil alike: there is nothing to prepare.
    @inline(__always)
    mutating func append(_ key: Bytes?, hash: UInt64) {
        guard told - begun < Self.ringCount else { return }
        events[told & Self.ringMask] = Event(key: key ?? Bytes(start: nil, count: 0), hash: hash)
        told &+= 1
    }

    /// The next event is being worked on.
    /// - Returns: false when it was not told of.
    @inline(__always)
    mutating func advance() -> Bool {
        isTold = begun < told
        if isTold { begun &+= 1 }
        return isTold
    }

    /// The hash of the event that comes `nearBy` events after the one that is worked on; nil when that is not told of.
    @inline(__always)
    var near: UInt64? {
        let number = begun &- 1 &+ Self.nearBy
        return number < told ? events[number & Self.ringMask].hash : nil
    }

    /// The events to be prepared now, once for each of them; nil while those that are prepared reach far enough.
    @inline(__always)
    var nextGroup: Range<Int>? {
        mutating get {
            guard grouped < begun + Self.groupDistance, grouped < told else { return nil }
            let first = max(grouped, begun - 1)
            let end = min(told, begun - 1 + Self.groupDistance + Self.groupCount)
            grouped = end
            return first..<end
        }
    }

    /// The key of an event that was told of, and its hash.
    @inline(__always)
    subscript(number: Int) -> (key: Bytes, hash: UInt64) {
        let event = events[number & Self.ringMask]
        return (event.key, event.hash)
    }

    /// The number of the event that is worked on; nil when it was not told of.
    @inline(__always)
    var current: Int? { isTold ? begun &- 1 : nil }
}
