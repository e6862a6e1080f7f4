import ServiceLifecycle

#if canImport(Glibc)
    import CMalloc
    import Throughput
#endif

/// Gives memory back to the system that the allocator keeps after it was freed.
///
/// glibc gives back free memory at an arena's end alone. After a broker's outage, or the restore of many partitions, a
/// hundred megabytes lie below blocks that are still in use, and would count as the worker's for good: towards a
/// container's limit, too.
struct FreedMemory: Service {
    /// The pause between looks. Batches free and take their memory many times in it.
    private static let pause = Duration.seconds(30)
    /// Less than this stays with the allocator: it is soon taken again.
    static let worthwhile = 32 << 20

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: Self.pause)
                Self.giveBack()
            }
        }
    }

    /// Gives back free memory, if it is worthwhile. Allocations of other threads wait meanwhile, some milliseconds.
    /// - Returns: whether there was anything to give back.
    @discardableResult
    static func giveBack() -> Bool {
        #if canImport(Glibc)
            guard resident > worthwhile else { return false }
            return malloc_trim(0) == 1
        #else
            return false
        #endif
    }

    #if canImport(Glibc)
        /// Bytes of memory that were freed and are still resident; threads' stacks, a few megabytes, are counted too.
        static var resident: Int {
            let allocator = mallinfo2()
            return Int(ProcessFigures.anonymousBytes) - allocator.uordblks - allocator.hblkhd
        }
    #endif
}
