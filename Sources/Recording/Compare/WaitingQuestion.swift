/// The records of one question in one output topic that wait for their partners, in their order, without those already
/// known to be equal. When records of both sides wait, the first of each differ.
final class WaitingQuestion {
    /// Rank of the question's first record: the order in which differences are reported.
    let order: Int
    private var expected = ImageQueue()
    private var actual = ImageQueue()
    /// Whether pairs of records were removed from the front.
    private var hadOthers = false

    init(order: Int) { self.order = order }

    var isSettled: Bool { expected.isEmpty && actual.isEmpty }

    /// The number of records that wait beside a record of the other side.
    var pairCount: Int { min(expected.count, actual.count) }

    /// The question, for people; nil when nothing waits.
    var label: QuestionLabel? { (expected.first ?? actual.first)?.label }

    /// Compares a record with the first waiting one of the other side, and removes that when both are equal.
    /// - Returns: the memory that became free; nil when the record has to wait.
    func settle(_ image: RecordImage, isExpected: Bool) -> Int? {
        guard (isExpected ? expected : actual).isEmpty,
            let partner = isExpected ? actual.first : expected.first, RecordImage.areEqual(partner, image)
        else { return nil }
        hadOthers = true
        return isExpected ? actual.removeFirst(1) : expected.removeFirst(1)
    }

    /// - Returns: the memory that the record takes.
    func append(_ image: RecordImage, isExpected: Bool) -> Int {
        if isExpected { expected.append(image) } else { actual.append(image) }
        return ImageQueue.size(of: image)
    }

    /// Removes the first records of each side.
    /// - Parameters:
    ///   - count: the most of each side.
    ///   - freed: decreased by the memory that became free.
    /// - Returns: the removed records.
    func remove(_ count: Int, freed: inout Int) -> QuestionSequence {
        let sequence = QuestionSequence(
            expected: expected.records(count), actual: actual.records(count), hasOthers: hadOthers)
        hadOthers = hadOthers || min(sequence.expected.count, sequence.actual.count) > 0
        freed -= expected.removeFirst(sequence.expected.count) + actual.removeFirst(sequence.actual.count)
        return sequence
    }
}

/// A queue of records. Removing from its front costs the same at every length.
private struct ImageQueue {
    private var images: [RecordImage] = []
    private var start = 0

    var count: Int { images.count - start }
    var isEmpty: Bool { count == 0 }
    var first: RecordImage? { isEmpty ? nil : images[start] }

    /// The memory that a waiting record takes, about.
    static func size(of image: RecordImage) -> Int { image.bytes.count + 200 }

    mutating func append(_ image: RecordImage) { images.append(image) }

    /// The first records, at most `most`.
    func records(_ most: Int) -> [RecordedRecord] { images[start...].prefix(most).map(\.record) }

    /// - Returns: the memory of the removed records.
    mutating func removeFirst(_ number: Int) -> Int {
        var size = 0
        for index in start..<start + number {
            size += Self.size(of: images[index])
            images[index] = RecordImage()
        }
        start += number
        if start > images.count / 2 {
            images.removeFirst(start)
            start = 0
        }
        return size
    }
}
