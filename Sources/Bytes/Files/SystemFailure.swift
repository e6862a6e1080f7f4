#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An error code of the operating system.
package struct SystemFailure: Error, Equatable {
    /// A value of `errno`.
    package let code: Int32

    /// - Parameter code: a value of `errno`.
    package init(code: Int32) { self.code = code }

    /// The last failed call's, from `errno`.
    package static var last: SystemFailure { SystemFailure(code: errno) }

    /// The operating system's message.
    package var text: String { String(cString: strerror(code)) }
}

/// Makes a system call that returns -1 for an error; repeats it where a signal interrupted it.
@discardableResult
package func retryOnInterrupt<Result: SignedInteger>(
    _ call: () -> Result
) throws(SystemFailure) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        if errno != EINTR { throw .last }
    }
}

/// Reading and writing by a file descriptor, which the caller owns.
package enum Descriptor {
    /// Reads as many bytes as there are now, at most `room`'s; 0 at the end. Blocks while there are none.
    package static func readSome(
        _ descriptor: Int32, into room: UnsafeMutableRawBufferPointer
    ) throws(SystemFailure) -> Int {
        try retryOnInterrupt { read(descriptor, room.baseAddress, room.count) }
    }

    /// The same into an array, whose length is the limit and stays as it is.
    package static func readSome(_ descriptor: Int32, into room: inout [UInt8]) throws(SystemFailure) -> Int {
        try room.withUnsafeMutableBufferPointer { (room) throws(SystemFailure) in
            try readSome(descriptor, into: UnsafeMutableRawBufferPointer(room))
        }
    }

    /// The same from an offset of the file, without moving its position.
    package static func readSome(
        _ descriptor: Int32, at offset: Int, into room: UnsafeMutableRawBufferPointer
    ) throws(SystemFailure) -> Int {
        try retryOnInterrupt { pread(descriptor, room.baseAddress, room.count, off_t(offset)) }
    }

    /// Writes all the bytes, and waits where a shared terminal or pipe was made non-blocking by another process.
    /// - Parameter progress: called with the length of each part that was written.
    package static func writeAll(
        _ bytes: Bytes, to descriptor: Int32, progress: (Int) -> Void = { _ in }
    ) throws(SystemFailure) {
        var rest = bytes
        while !rest.isEmpty {
            do throws(SystemFailure) {
                let count = try retryOnInterrupt { write(descriptor, rest.baseAddress, rest.count) }
                guard count > 0 else { throw SystemFailure(code: ENOSPC) }
                progress(count)
                rest = Bytes(rebasing: rest.dropFirst(count))
            } catch {
                guard error.code == EAGAIN else { throw error }
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&wait, 1, 1_000)
            }
        }
    }

    /// The same for an array.
    package static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(SystemFailure) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(SystemFailure) in try writeAll(Bytes(bytes), to: descriptor)
        }
    }
}
