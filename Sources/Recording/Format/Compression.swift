/// The compression of a recording. The file's name decides, and its first bytes must agree.
enum Compression: Sendable, Equatable {
    case none
    case gzip
    case zstd

    /// By the end of a name: `.gz` and `.zst`, in small or capital letters.
    init(ofName path: String) {
        let name = path.lowercased()
        if name.hasSuffix(".gz") {
            self = .gzip
        } else if name.hasSuffix(".zst") {
            self = .zstd
        } else {
            self = .none
        }
    }

    /// By a file's first four bytes, or fewer if it is shorter. JSON begins with none of the magic numbers.
    init(ofContent head: UnsafeRawBufferPointer) {
        if head.count >= 2, head[0] == 0x1F, head[1] == 0x8B {
            self = .gzip
        } else if head.count >= 4, Self.isZstd(UInt32(littleEndian: head.loadUnaligned(as: UInt32.self))) {
            self = .zstd
        } else {
            self = .none
        }
    }

    /// RFC 8878: the magic number of a frame, and the sixteen of skippable frames, which may come first.
    private static func isZstd(_ magic: UInt32) -> Bool {
        magic == 0xFD2F_B528 || magic & 0xFFFF_FFF0 == 0x184D_2A50
    }

    var label: String {
        switch self {
        case .none: "no compression"
        case .gzip: "gzip"
        case .zstd: "zstd"
        }
    }

    /// The end of a file name for this compression.
    var suffix: String {
        switch self {
        case .none: ".jsonl"
        case .gzip: ".gz"
        case .zstd: ".zst"
        }
    }
}
