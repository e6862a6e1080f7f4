#if canImport(Glibc)
    import Foundation
    import Testing

    @testable import Commands

    @Suite(.serialized) struct FreedMemoryTests {
        @Test func memoryBelowBlocksInUseIsGivenBack() {
            // A block that stays in use after every 64 others: nothing at the heap's end is free.
            var inUse: [UnsafeMutableRawPointer] = []
            var freed: [UnsafeMutableRawPointer] = []
            for number in 0..<(4 * FreedMemory.worthwhile / 4_096) {
                let block = UnsafeMutableRawPointer.allocate(byteCount: 4_096, alignment: 16)
                memset(block, 1, 4_096)
                if number % 64 == 63 { inUse.append(block) } else { freed.append(block) }
            }
            defer { for block in inUse { block.deallocate() } }
            for block in freed { block.deallocate() }
            let before = FreedMemory.resident
            #expect(before > 2 * FreedMemory.worthwhile)

            #expect(FreedMemory.giveBack())

            #expect(FreedMemory.resident < before / 2)
        }
    }
#endif
