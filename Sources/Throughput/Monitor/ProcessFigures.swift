import Foundation

/// Memory and processor time of this process.
package struct ProcessFigures: Sendable, Equatable {
    /// Memory in use that is not swapped out, mapped pages of the stores included.
    package var residentBytes: Int64 = 0
    /// User and system time since the process began.
    package var cpuSeconds: Double = 0

    /// Reads both from the system; a figure that it does not give is 0.
    package static var now: ProcessFigures {
        ProcessFigures(residentBytes: currentResidentBytes(), cpuSeconds: currentCPUSeconds())
    }

    private static func currentCPUSeconds() -> Double {
        var usage = rusage()
        #if canImport(Darwin)
            let status = getrusage(RUSAGE_SELF, &usage)
        #else
            let status = getrusage(RUSAGE_SELF.rawValue, &usage)
        #endif
        guard status == 0 else { return 0 }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    #if canImport(Darwin)
        private static func currentResidentBytes() -> Int64 {
            var info = mach_task_basic_info()
            var count = mach_msg_type_number_t(MemoryLayout<mach_task_basic_info>.size / MemoryLayout<natural_t>.size)
            let status = withUnsafeMutablePointer(to: &info) { pointer in
                pointer.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
                    task_info(mach_task_self_, task_flavor_t(MACH_TASK_BASIC_INFO), $0, &count)
                }
            }
            return status == KERN_SUCCESS ? Int64(info.resident_size) : 0
        }
    #else
        private static func currentResidentBytes() -> Int64 { resident().all }

        /// Resident memory that is no mapped file's, in bytes: what was allocated, and stacks.
        package static var anonymousBytes: Int64 {
            let (all, files) = resident()
            return all - files
        }

        /// Reads /proc/self/statm, which counts pages: second the resident ones, third those of them that are files'
        /// (proc(5)).
        private static func resident() -> (all: Int64, files: Int64) {
            let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { return (0, 0) }
            defer { close(file) }
            var bytes = [UInt8](repeating: 0, count: 128)
            let count = read(file, &bytes, bytes.count)
            guard count > 0 else { return (0, 0) }
            let fields = bytes[..<count].split(separator: UInt8(ascii: " "))
            guard fields.count > 2, let all = Int64(String(decoding: fields[1], as: UTF8.self)),
                let files = Int64(String(decoding: fields[2], as: UTF8.self))
            else { return (0, 0) }
            let page = Int64(sysconf(Int32(_SC_PAGESIZE)))
            return (all * page, files * page)
        }
    #endif
}
