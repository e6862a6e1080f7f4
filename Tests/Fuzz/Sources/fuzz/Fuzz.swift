import Glibc

/// `fuzz TARGET [libFuzzer's own arguments]`: one process fuzzes one part. libFuzzer brings the `main` that calls these
/// two.
///
/// libFuzzer looks for inputs that end the process; a wrong answer ends it by `precondition`.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    guard count.pointee > 1, let name = arguments.pointee[1], let target = Target(rawValue: String(cString: name))
    else {
        print("fuzz: name one of \(Target.allCases.map(\.rawValue).joined(separator: ", "))")
        exit(64)
    }
    chosen = target.makeBody()
    // The name of the target is no argument of libFuzzer's.
    arguments.pointee[1] = arguments.pointee[0]
    arguments.pointee += 1
    count.pointee -= 1
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    chosen(UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : size))
    return 0
}
