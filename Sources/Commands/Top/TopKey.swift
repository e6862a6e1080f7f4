/// The commands of `top`'s keys.
enum TopKey: Equatable, Sendable {
    case quit
    case suspend
    case redraw
    case up
    case down
    case columns

    /// Reads the commands in `bytes`. Ignores pasted text and unassigned keys.
    static func keys(_ bytes: [UInt8]) -> [TopKey] {
        var keys: [TopKey] = []
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case 0x1B:
                // ESC [ A or ESC O A, with digits and semicolons between while modifier keys are held.
                guard index < bytes.count, bytes[index] == 0x5B || bytes[index] == 0x4F else { continue }
                index += 1
                while index < bytes.count, 0x30...0x3F ~= bytes[index] { index += 1 }
                guard index < bytes.count else { continue }
                if bytes[index] == 0x41 { keys.append(.up) }
                if bytes[index] == 0x42 { keys.append(.down) }
                index += 1
            case 0x03, UInt8(ascii: "q"), UInt8(ascii: "Q"): keys.append(.quit)
            case 0x1A: keys.append(.suspend)
            case 0x0C: keys.append(.redraw)
            case UInt8(ascii: "k"): keys.append(.up)
            case UInt8(ascii: "j"), 0x09: keys.append(.down)
            case UInt8(ascii: "t"): keys.append(.columns)
            default: break
            }
        }
        return keys
    }
}
