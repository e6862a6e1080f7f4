import KafkaClient

/// The forms of dead letters that the dead-letter topic takes, learned from its broker's refusals. Kept for the life of
/// the lane: they follow from the topic's settings.
struct LetterLimits {
    /// The topic takes no record without a key, as a compacted one does.
    private(set) var needKey = false
    /// Letters with more bytes are published without their value.
    private var maxBytes = Int.max
    private static let leastBytes = 1 << 10

    func allow(_ form: DeadLetter.Form, _ letter: DeadLetter) -> Bool {
        !form.carriesValue || letter.byteCount <= maxBytes
    }

    /// Learns from a refusal.
    /// - Parameter largest: upper bound of the bytes of the refused transaction's letters.
    /// - Returns: false when no form is left to try.
    mutating func draw(from refusal: DeliveryFailure, largest: Int) -> Bool {
        switch refusal.name {
        case "MSG_SIZE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_MSG_SIZE":
            guard maxBytes > Self.leastBytes else { return false }
            maxBytes = max(Self.leastBytes, min(maxBytes, largest) / 2)
            return true
        case "INVALID_RECORD":
            guard !needKey else { return false }
            needKey = true
            return true
        default:
            return false
        }
    }
}
