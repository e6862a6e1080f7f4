import CFuzzer
import Glibc

/// `fuzz TARGET [libFuzzer's own arguments]`: one process fuzzes one part.
///
/// An input that ends the process is what libFuzzer looks for; so is one that an answer is wrong for, which ends it by
/// `precondition`.
guard CommandLine.argc > 1, let target = Target(rawValue: CommandLine.arguments[1]) else {
    fputs("fuzz: name one of \(Target.allCases.map(\.rawValue).joined(separator: ", "))\n", stderr)
    exit(64)
}
chosen = target.makeBody()
var count = CommandLine.argc - 1
// libFuzzer takes the first argument for the program's name.
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
exit(
    LLVMFuzzerRunDriver(&count, &arguments) { bytes, size in
        chosen(UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : size))
        return 0
    })
