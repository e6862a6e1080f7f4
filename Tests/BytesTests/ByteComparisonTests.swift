import Testing

@testable import Bytes

@Suite struct ByteComparisonTests {
    /// Lengths on both sides of the words that are compared at once, a difference at every place, one key a prefix of
    /// the other, and texts of both kinds of addresses: aligned to a word and not.
    @Test(arguments: [0, 1, 7, 8, 9, 15, 16, 17, 31])
    func comparesAsArraysDo(length: Int) {
        let text = (0..<length).map { UInt8(0x61 + $0 % 26) }
        var others = [text, Array(text.dropLast()), text + [0], text + [0xFF]]
        for place in 0..<length {
            for byte: UInt8 in [0, 0xFF] {
                var other = text
                other[place] = byte
                others.append(other)
            }
        }
        for other in others {
            // One byte before them, so that words begin at odd addresses.
            ([0] + text).withUnsafeBytes { left in
                other.withUnsafeBytes { right in
                    let left = Bytes(rebasing: left.dropFirst())
                    let isEqual = text == other
                    let isLess = text.lexicographicallyPrecedes(other)
                    #expect(left.isEqual(to: right) == isEqual)
                    #expect(right.isEqual(to: left) == isEqual)
                    #expect(left.precedes(right, orIsEqual: false) == isLess)
                    #expect(left.precedes(right, orIsEqual: true) == (isLess || isEqual))
                    #expect(compareBytes(left, right).signum() == (isEqual ? 0 : isLess ? -1 : 1))
                    let begins = text.count >= other.count && Array(text.prefix(other.count)) == other
                    #expect(left.starts(with: right) == begins)
                    #expect(left.starts(with: other) == begins)
                }
            }
        }
    }

    @Test func bytesWithoutAddressAreEmpty() {
        let none = Bytes(start: nil, count: 0)
        #expect(none.isEqual(to: none))
        #expect(none.starts(with: none))
        #expect(none.starts(with: []))
        #expect(!none.starts(with: [0]))
        [UInt8(0)].withUnsafeBytes { one in
            #expect(!none.isEqual(to: one))
            #expect(!one.isEqual(to: none))
            #expect(one.starts(with: none))
            #expect(none.precedes(one, orIsEqual: false))
        }
    }
}
