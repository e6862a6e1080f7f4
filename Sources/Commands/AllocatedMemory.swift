#if canImport(Glibc)
    import CMalloc
#endif

/// Settings of the process's memory allocator.
enum AllocatedMemory {
    /// Makes the allocator return large blocks to the system when they are freed, and keep small ones.
    ///
    /// Once glibc has freed a large block, it takes later blocks of that size from its heap (the threshold is dynamic,
    /// mallopt(3)). There they leave holes between the small blocks: hundreds of megabytes while 64 partitions are
    /// restored. Call this before the lanes start.
    static func keepTogether() {
        #if canImport(Glibc)
            mallopt(M_MMAP_THRESHOLD, 1 << 20)
            // Setting one threshold fixes the other too, at so low a value that memory would go back and forth.
            mallopt(M_TRIM_THRESHOLD, 32 << 20)
        #endif
    }
}
