import AnswerStore
import Bytes
import Records

/// The result of rendering a question.
package enum Rendering {
    /// The enriched value, valid until the enricher's next `render`; the numbers of answers in it, and of visible
    /// answers left out.
    case record(Bytes, attached: Int, omitted: Int)
    /// The value would exceed the limit even without a single answer.
    case tooLarge(RecordError)
}

/// Renders enriched values into one reused buffer. One per lane, not Sendable. Does no I/O; the same inputs give the
/// same bytes.
///
/// A value is
///
///     {"question":Q,"answers":[{"answer":A,"voteCount":3,"voteLabel":"+4"},...],"answerCount":1}
///
/// with Q and A the given bytes, and `,"answersOmitted":N` as the last field where answers were left out.
package final class Enricher {
    /// Grows to the longest value rendered, plus a quarter; `limit` bounds that length.
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)

    /// An enricher with a small buffer, which grows with the values.
    package init() {}

    deinit { buffer.deallocate() }

    /// - Parameters:
    ///   - question: the question event's value, copied byte for byte.
    ///   - answers: the question's visible answers; sorted in place by `Ranking`.
    ///   - limit: the longest value allowed, in bytes. If the whole does not fit, the first k answers of the ranking
    ///     stay, for the largest k that fits.
    package func render(question: Bytes, answers: StoredAnswers, limit: Int) -> Rendering {
        let ranked = answers.buffer
        Ranking.sort(ranked)
        guard let plan = EnrichedSize.plan(question: question, ranked: ranked, limit: limit) else {
            return .tooLarge(tooLarge(question: question, answerCount: ranked.count, limit: limit))
        }
        if buffer.count < plan.length { grow(to: plan.length) }
        guard let start = buffer.baseAddress else {
            return .record(Bytes(start: nil, count: 0), attached: 0, omitted: 0)
        }
        var writer = RawWriter(start)
        writer.write(EnrichedText.question)
        writer.write(question)
        writer.write(EnrichedText.answers)
        for index in 0..<plan.attached {
            if index > 0 { writer.write(EnrichedText.comma) }
            Self.write(ranked[index], to: &writer)
        }
        writer.write(EnrichedText.answerCount)
        writer.write(number: UInt64(ranked.count))
        let omitted = ranked.count - plan.attached
        if omitted > 0 {
            writer.write(EnrichedText.answersOmitted)
            writer.write(number: UInt64(omitted))
        }
        writer.write(EnrichedText.end)
        return .record(Bytes(start: start, count: writer.place - start), attached: plan.attached, omitted: omitted)
    }

    /// Combines a question with the tail of an earlier rendering.
    /// - Returns: the enriched value, valid until the next rendering; nil when it would be longer than `limit`.
    @inline(__always)
    func splice(question: Bytes, tail: Bytes, limit: Int) -> Bytes? {
        let length = EnrichedText.question.utf8CodeUnitCount + question.count + tail.count
        guard length <= limit else { return nil }
        if buffer.count < length { grow(to: length) }
        guard let start = buffer.baseAddress else { return nil }
        var writer = RawWriter(start)
        writer.write(EnrichedText.question)
        writer.write(question)
        writer.write(tail)
        return Bytes(start: start, count: length)
    }

    /// The bytes after the question, in a value that was rendered with all answers.
    @inline(__always)
    static func tail(of value: Bytes, question: Bytes) -> Bytes {
        Bytes(rebasing: value[(EnrichedText.question.utf8CodeUnitCount + question.count)...])
    }

    @inline(__always)
    private static func write(_ answer: StoredAnswer, to writer: inout RawWriter) {
        writer.write(EnrichedText.answer)
        writer.write(answer.json)
        writer.write(EnrichedText.voteCount)
        if answer.voteCount < 0 { writer.write(EnrichedText.minus) }
        writer.write(number: answer.voteCount.magnitude)
        writer.write(EnrichedText.voteLabel)
        writer.write(VoteLabel(voteCount: answer.voteCount))
        writer.write(EnrichedText.endOfAnswer)
    }

    private func grow(to length: Int) {
        buffer.deallocate()
        buffer = .allocate(byteCount: length + length / 4, alignment: 16)
    }

    private func tooLarge(question: Bytes, answerCount: Int, limit: Int) -> RecordError {
        let length = EnrichedSize.withoutAnswers(question: question, answerCount: answerCount)
        return RecordError(
            code: .tooLarge,
            message:
                "the enriched record would be \(length) bytes long without a single answer, and \(limit) are allowed; "
                + "shorten the question, or raise maxRecordBytes and with it the message size limits of the brokers")
    }
}

/// The constant parts of an enriched value.
enum EnrichedText {
    static let question: StaticString = #"{"question":"#
    static let answers: StaticString = #","answers":["#
    static let answer: StaticString = #"{"answer":"#
    static let voteCount: StaticString = #","voteCount":"#
    static let voteLabel: StaticString = #","voteLabel":""#
    static let endOfAnswer: StaticString = #""}"#
    static let answerCount: StaticString = #"],"answerCount":"#
    static let answersOmitted: StaticString = #","answersOmitted":"#
    static let end: StaticString = "}"
    static let comma: StaticString = ","
    static let minus: StaticString = "-"
}

/// The length of an enriched value, computed before its first byte is written.
enum EnrichedSize {
    /// The number of answers that fit and the value's length with them; nil when not even the frame fits.
    static func plan(
        question: Bytes, ranked: UnsafeMutableBufferPointer<StoredAnswer>, limit: Int
    ) -> (attached: Int, length: Int)? {
        let frame = frame(question: question, answerCount: ranked.count)
        var length = frame
        for index in 0..<ranked.count { length += entry(ranked[index], at: index) }
        if length <= limit { return (ranked.count, length) }
        // Each answer adds more bytes than a smaller omission count saves, so the length grows with k.
        var best: (attached: Int, length: Int)?
        length = frame
        for attached in 0..<ranked.count {
            let total = length + omission(ranked.count - attached)
            guard total <= limit else { break }
            best = (attached, total)
            length += entry(ranked[attached], at: attached)
        }
        return best
    }

    /// The length of the question's shortest possible value.
    static func withoutAnswers(question: Bytes, answerCount: Int) -> Int {
        frame(question: question, answerCount: answerCount) + (answerCount > 0 ? omission(answerCount) : 0)
    }

    private static func frame(question: Bytes, answerCount: Int) -> Int {
        EnrichedText.question.utf8CodeUnitCount + question.count + EnrichedText.answers.utf8CodeUnitCount
            + EnrichedText.answerCount.utf8CodeUnitCount + DecimalNumber.length(of: UInt64(answerCount))
            + EnrichedText.end.utf8CodeUnitCount
    }

    @inline(__always)
    private static func entry(_ answer: StoredAnswer, at index: Int) -> Int {
        (index > 0 ? 1 : 0) + EnrichedText.answer.utf8CodeUnitCount + answer.json.count
            + EnrichedText.voteCount.utf8CodeUnitCount + (answer.voteCount < 0 ? 1 : 0)
            + DecimalNumber.length(of: answer.voteCount.magnitude) + EnrichedText.voteLabel.utf8CodeUnitCount
            + VoteLabel(voteCount: answer.voteCount).length + EnrichedText.endOfAnswer.utf8CodeUnitCount
    }

    private static func omission(_ count: Int) -> Int {
        EnrichedText.answersOmitted.utf8CodeUnitCount + DecimalNumber.length(of: UInt64(count))
    }
}

/// Writes pieces one after the other into memory that the caller has made long enough.
struct RawWriter {
    private(set) var place: UnsafeMutableRawPointer

    init(_ start: UnsafeMutableRawPointer) { place = start }

    @inline(__always)
    mutating func write(_ text: StaticString) {
        place.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        place += text.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func write(_ bytes: Bytes) {
        guard let source = bytes.baseAddress else { return }
        place.copyMemory(from: source, byteCount: bytes.count)
        place += bytes.count
    }

    @inline(__always)
    mutating func write(number: UInt64) { place += DecimalNumber.write(number, to: place) }

    @inline(__always)
    mutating func write(_ label: VoteLabel) { place += label.write(to: place) }
}
