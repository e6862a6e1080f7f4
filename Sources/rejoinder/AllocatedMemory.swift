#if canImport(Glibc)
    import CMalloc
#endif

/// How the process's memory is allocated.
enum AllocatedMemory {
    /// Has large pieces given back to the system when they are freed, and small ones kept.
    ///
    /// Once glibc has freed a large piece it takes later ones as large from between the small ones (its threshold is dynamic,
    /// mallopt(3)), where they leave holes that nothing fits into: with 64 partitions that are restored these come to hundreds
    /// of megabytes. To be called before the lanes begin.
    static func keepTogether() {
        #if canImport(Glibc)
            mallopt(M_MMAP_THRESHOLD, 1 << 20)
            // Saying one of them makes the other fixed, too, at so little that memory would go back and forth.
            mallopt(M_TRIM_THRESHOLD, 32 << 20)
        #endif
    }
}
