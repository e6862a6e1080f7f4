import AnswerStore
import Bytes

/// The order of answers in an enriched record: voteCount descending, then answeredAt ascending as instants with absent
/// last, then id bytewise. Ids differ, so no two answers are equal.
package enum Ranking {
    /// Whether `left` comes before `right`.
    package static func precedes(_ left: StoredAnswer, _ right: StoredAnswer) -> Bool {
        if left.voteCount != right.voteCount { return left.voteCount > right.voteCount }
        switch (left.answeredAt, right.answeredAt) {
        case (let left?, let right?) where left != right: return left < right
        case (.some, nil): return true
        case (nil, .some): return false
        default: return bytesPrecede(left.id, right.id)
        }
    }

    /// Sorts in place in O(n log n) and allocates nothing.
    package static func sort(_ answers: UnsafeMutableBufferPointer<StoredAnswer>) {
        // Most questions have few answers, for which insertion sort is fastest.
        if answers.count <= 12 { insertionSort(answers) } else { heapSort(answers) }
    }

    private static func bytesPrecede(_ left: Bytes, _ right: Bytes) -> Bool {
        let common = min(left.count, right.count)
        for index in 0..<common where left[index] != right[index] { return left[index] < right[index] }
        return left.count < right.count
    }

    private static func insertionSort(_ answers: UnsafeMutableBufferPointer<StoredAnswer>) {
        guard answers.count > 1 else { return }
        for index in 1..<answers.count {
            let answer = answers[index]
            var place = index
            while place > 0, precedes(answer, answers[place - 1]) {
                answers[place] = answers[place - 1]
                place -= 1
            }
            if place != index { answers[place] = answer }
        }
    }

    private static func heapSort(_ answers: UnsafeMutableBufferPointer<StoredAnswer>) {
        for root in stride(from: answers.count / 2 - 1, through: 0, by: -1) {
            siftDown(answers, from: root, count: answers.count)
        }
        for end in stride(from: answers.count - 1, to: 0, by: -1) {
            answers.swapAt(0, end)
            siftDown(answers, from: 0, count: end)
        }
    }

    /// Keeps the last answer of the ranking at the top of the heap.
    private static func siftDown(
        _ answers: UnsafeMutableBufferPointer<StoredAnswer>, from start: Int, count: Int
    ) {
        let answer = answers[start]
        var root = start
        while true {
            var child = root * 2 + 1
            guard child < count else { break }
            if child + 1 < count, precedes(answers[child], answers[child + 1]) { child += 1 }
            guard precedes(answer, answers[child]) else { break }
            answers[root] = answers[child]
            root = child
        }
        answers[root] = answer
    }
}
