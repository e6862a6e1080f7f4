import ArgumentParser

/// The command line's words; a value that begins with a minus is tied to its flag: `--from -1h` becomes `--from=-1h`.
///
/// Once a command line has any other error, ArgumentParser looks for `-h` among all words, and it reads `-1h` as
/// `-1 -h`: a usage error would show the help and end with status 0.
enum ArgumentValues {
    /// Flags whose value may begin with a minus: those parsed with `.unconditional`.
    private static let flags: Set = ["--from", "--to", "--match", "--redact", "--ignore", "--kafka", "--rename"]

    /// - Throws: `ValidationError` for a time ago (`-1h`) that belongs to no flag.
    static func tied(_ words: [String]) throws -> [String] {
        var result: [String] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" { return result + [word] + rest }
            if flags.contains(word), let value = rest.first, value.hasPrefix("-") {
                rest.removeFirst()
                result.append("\(word)=\(value)")
                continue
            }
            if isTimeAgo(word) {
                throw ValidationError(
                    "Unexpected argument '\(word)'; a time ago belongs to a flag: --from \(word) or --to \(word).")
            }
            result.append(word)
        }
        return result
    }

    /// A minus, a digit, and a unit at the end; no flag has this form.
    private static func isTimeAgo(_ word: String) -> Bool {
        guard word.hasPrefix("-"), let first = word.dropFirst().first, let last = word.last else { return false }
        return first.isASCII && first.isNumber && "smhdw".contains(last)
    }
}
