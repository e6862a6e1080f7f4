import Bytes

/// Appends a record's bytes to memory that the caller has made long enough for the plan's longest record.
struct ValueWriter {
    let start: UnsafeMutableRawPointer
    private(set) var count = 0

    init(_ start: UnsafeMutableRawPointer) { self.start = start }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    mutating func removeAll() { count = 0 }

    @inline(__always)
    mutating func write(_ text: StaticString) {
        (start + count).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    /// Writes decimal digits, padded with leading zeros to `digits` of them.
    @inline(__always)
    mutating func write(_ number: Int, digits: Int = 1) {
        var length = 1
        var rest = number / 10
        while rest > 0 {
            length += 1
            rest /= 10
        }
        length = max(length, digits)
        rest = number
        var place = count + length
        while place > count {
            place -= 1
            start.storeBytes(of: UInt8(truncatingIfNeeded: 48 + rest % 10), toByteOffset: place, as: UInt8.self)
            rest /= 10
        }
        count += length
    }

    @inline(__always)
    mutating func writeQuestionID(_ question: Int) {
        write("q-")
        write(question, digits: WorkloadPlan.questionDigits)
    }

    @inline(__always)
    mutating func writeAnswerID(_ question: Int, _ answer: Int) {
        write("a-")
        write(question, digits: WorkloadPlan.questionDigits)
        write("-")
        write(answer)
    }

    /// Writes an RFC 3339 time, `seconds` after the start of the sample data's time.
    @inline(__always)
    mutating func writeTime(_ seconds: Int) {
        // 2025-09-01T00:00:00Z.
        let time = CalendarTime(seconds: 20_332 * 86_400 + Int64(seconds))
        let second = Int(time.secondOfDay)
        write(Int(time.year), digits: 4)
        write("-")
        write(Int(time.month), digits: 2)
        write("-")
        write(Int(time.day), digits: 2)
        write("T")
        write(second / 3_600, digits: 2)
        write(":")
        write(second / 60 % 60, digits: 2)
        write(":")
        write(second % 60, digits: 2)
        write("Z")
    }

    /// Writes `length` bytes of prose from a random position; none when negative.
    @inline(__always)
    mutating func writeText(_ length: Int, _ random: inout SplitMix64) {
        var rest = length
        guard rest > 0 else { return }
        let opening = SampleText.openings[random.next(below: SampleText.openings.count)]
        if opening.utf8CodeUnitCount <= rest {
            write(opening)
            rest -= opening.utf8CodeUnitCount
        }
        let prose = SampleText.prose
        var place = random.next(below: prose.utf8CodeUnitCount)
        while rest > 0 {
            let piece = min(rest, prose.utf8CodeUnitCount - place)
            (start + count).copyMemory(from: prose.utf8Start + place, byteCount: piece)
            count += piece
            rest -= piece
            place = 0
        }
    }
}
