import Bytes

/// The prefetch window: keys and key hashes of the upcoming events. Numbers count from the last `removeAll`.
struct ComingEvents {
    /// The number of events hinted ahead.
    static let ahead = 32
    /// Far enough ahead for memory to answer, near enough for the data still to be cached.
    private static let nearBy = 4
    /// Lookups are prepared for `groupCount` events at once, when the first of them is `groupDistance` events away.
    private static let groupCount = 16
    private static let groupDistance = 8

    private struct Event {
        var key: Bytes
        var hash: UInt64
    }

    /// A ring, indexed by event number.
    private let events = UnsafeMutablePointer<Event>.allocate(capacity: ringCount)
    private static let ringCount = 64
    private static let ringMask = ringCount - 1

    /// Event counts: hinted, begun (in progress or done), and handed out in groups.
    private var told = 0
    private var begun = 0
    private var grouped = 0
    /// Whether the event in progress was hinted.
    private var isTold = false

    func deallocate() { events.deallocate() }

    @inline(__always)
    mutating func removeAll() {
        (told, begun, grouped) = (0, 0, 0)
        isTold = false
    }

    /// Adds an event, or drops it when the ring is full. After a drop, later events get another event's prepared rows,
    /// which lookups reject: useless but harmless.
    /// - Parameter key: empty and nil are equivalent: there is nothing to prepare.
    @inline(__always)
    mutating func append(_ key: Bytes?, hash: UInt64) {
        guard told - begun < Self.ringCount else { return }
        events[told & Self.ringMask] = Event(key: key ?? Bytes(start: nil, count: 0), hash: hash)
        told &+= 1
    }

    /// Moves on to the next event.
    /// - Returns: false when that event was not hinted.
    @inline(__always)
    mutating func advance() -> Bool {
        isTold = begun < told
        if isTold { begun &+= 1 }
        return isTold
    }

    /// The hash of the event `nearBy` events after the one in progress; nil when it was not hinted.
    @inline(__always)
    var near: UInt64? {
        let number = begun &- 1 &+ Self.nearBy
        return number < told ? events[number & Self.ringMask].hash : nil
    }

    /// The events to prepare now, each of them once; nil while the prepared ones reach far enough ahead.
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

    /// The key of a hinted event, and its hash.
    @inline(__always)
    subscript(number: Int) -> (key: Bytes, hash: UInt64) {
        let event = events[number & Self.ringMask]
        return (event.key, event.hash)
    }

    /// The number of the event in progress; nil when it was not hinted.
    @inline(__always)
    var current: Int? { isTold ? begun &- 1 : nil }
}
