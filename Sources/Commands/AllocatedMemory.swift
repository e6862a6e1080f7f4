#if canImport(Glibc)
    import CMalloc
    import Foundation
#endif

/// Settings of the process's memory allocator.
enum AllocatedMemory {
    /// Makes the allocator return large blocks to the system when they are freed, and keep small ones.
    ///
    /// Once glibc has freed a large block, it takes later blocks of that size from its heap (the threshold is dynamic,
    /// mallopt(3)). There they leave holes between the small blocks: hundreds of megabytes while 64 partitions are
    /// restored.
    ///
    /// An arena (malloc's heap of some threads) keeps up to the trim threshold that was freed. glibc makes eight of
    /// them for each processor, one after the other as new threads come, and each producer made anew brings new
    /// threads. Two for each lane are as quick: its consumers' and producer's threads mostly free what another has
    /// allocated, and take that arena's lock anyway.
    ///
    /// Call this before the lanes start.
    /// - Parameter lanes: those of sources included.
    static func keepTogether(lanes: Int) {
        #if canImport(Glibc)
            mallopt(M_MMAP_THRESHOLD, 1 << 20)
            // Setting one threshold fixes the other too, at so low a value that memory would go back and forth.
            mallopt(M_TRIM_THRESHOLD, 32 << 20)
            let standard = 8 * ProcessInfo.processInfo.activeProcessorCount
            mallopt(M_ARENA_MAX, Int32(min(standard, 2 * lanes + 2)))
        #endif
    }
}
