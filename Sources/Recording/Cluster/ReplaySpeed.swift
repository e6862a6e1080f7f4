/// The pace at which a recording is published.
package enum ReplaySpeed: Sendable, Equatable {
    /// The recorded gaps divided by this: 1 as recorded, 10 ten times faster.
    case recorded(times: Double)
    /// This many records a second, regardless of their timestamps.
    case rate(perSecond: Double)
    /// As fast as the brokers accept them.
    case max

    /// Reads `1x`, `0.5x`, `5000/s` or `max`; nil for anything else.
    package init?(_ text: String) {
        if text == "max" {
            self = .max
        } else if text.hasSuffix("/s"), let rate = Self.factor(text.dropLast(2)) {
            self = .rate(perSecond: rate)
        } else if text.hasSuffix("x"), let times = Self.factor(text.dropLast()) {
            self = .recorded(times: times)
        } else {
            return nil
        }
    }

    private static func factor(_ text: Substring) -> Double? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }), let number = Double(text),
            number >= 0.000_001, number <= 1_000_000_000
        else { return nil }
        return number
    }

    var isPaced: Bool { self != .max }
}

extension ReplaySpeed: CustomStringConvertible {
    /// In the form that `init` reads.
    package var description: String {
        switch self {
        case .max: "max"
        case .rate(let rate): "\(Self.text(rate))/s"
        case .recorded(let times): "\(Self.text(times))x"
        }
    }

    private static func text(_ number: Double) -> String {
        number == number.rounded() ? String(Int(number)) : String(number)
    }
}

/// Computes when each record is due. Every time is counted from the first record, never from the previous one, so that
/// errors do not add up.
struct ReplayPacer {
    private let speed: ReplaySpeed
    private var origin: Int64?
    private var newest = Int64.min
    private var count = 0

    /// Records with an older timestamp than an earlier record: they are due already.
    private(set) var backwards = 0
    /// The due time of the latest record.
    private(set) var lastDue = Duration.zero

    init(speed: ReplaySpeed) {
        self.speed = speed
    }

    /// The next record's due time, counted from the first record; never before an earlier record's.
    /// - Parameter timestamp: milliseconds since 1970. A record without one (nil, 0 or less) is due with the one before
    ///   it.
    mutating func due(_ timestamp: Int64?) -> Duration {
        defer { count += 1 }
        switch speed {
        case .max: return .zero
        case .rate(let rate): lastDue = Self.seconds(Double(count) / rate)
        case .recorded(let times):
            guard let timestamp, timestamp > 0 else { return lastDue }
            if timestamp < newest {
                backwards += 1
                return lastDue
            }
            newest = timestamp
            let start = origin ?? timestamp
            origin = start
            // Both are positive here, so the difference cannot overflow.
            lastDue = Self.seconds(Double(timestamp - start) / 1000 / times)
        }
        return lastDue
    }

    /// Bounded, since a producer may set any timestamp: a hundred thousand years are as good as for ever.
    private static func seconds(_ value: Double) -> Duration { .seconds(min(value, 3_000_000_000_000)) }
}
