import Bytes
import Foundation

/// A file of a Stack Exchange data dump: one row a line, `<row Id="4" PostTypeId="1" ... />`. Reads one row at a time,
/// so that a file of any size takes the memory of its longest row.
package final class DumpFile {
    /// Far longer than any post may be.
    private static let longestLine = 64 << 20

    private let path: String
    private let handle: FileHandle
    private let lines = LineQueue(piece: 1 << 20, longest: DumpFile.longestLine)
    private var line = 0
    /// Bytes read so far, for the progress.
    package private(set) var bytesRead = 0
    /// The file's size in bytes, as of its opening; 0 where the system does not tell it.
    package let size: Int

    /// - Throws: `SourceFailure` when the file cannot be opened.
    package init(path: String) throws(SourceFailure) {
        self.path = path
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw SourceFailure("cannot open \(excerpt(path)); name the directory that a dump was unpacked into")
        }
        self.handle = handle
        size = Int((try? handle.seekToEnd()) ?? 0)
        try? handle.seek(toOffset: 0)
    }

    deinit { try? handle.close() }

    /// The next row as a JSON object of texts, with the row's `Id`; nil at the end.
    /// - Throws: `SourceFailure` with the line number, where a row is malformed.
    package func next() throws(SourceFailure) -> (id: [UInt8], row: [UInt8])? {
        while let text = try nextLine() {
            line += 1
            guard let first = text.firstIndex(where: { $0 != 0x20 && $0 != 0x09 }),
                text[first...].starts(with: Array("<row ".utf8))
            else { continue }
            return try row(text[(first + 5)...])
        }
        return nil
    }

    private func nextLine() throws(SourceFailure) -> ArraySlice<UInt8>? {
        while true {
            if let found = lines.next() {
                guard !found.isCut else {
                    throw SourceFailure(
                        "\(path), line \(line + 1) is longer than \(Self.longestLine) bytes: it is no dump")
                }
                return Array(found.text)[...]
            }
            guard try read() else { return lines.last().map { Array($0.text)[...] } }
        }
    }

    /// - Returns: false at the file's end.
    /// - Throws: `SourceFailure` where the system fails to read, so that a failing disk does not look like the file's
    ///   end.
    private func read() throws(SourceFailure) -> Bool {
        do throws(SystemFailure) {
            let count = try Descriptor.readSome(handle.fileDescriptor, into: lines.room())
            lines.filled(count)
            bytesRead += count
            return count > 0
        } catch {
            throw SourceFailure(
                "cannot read \(excerpt(path)) beyond byte \(bytesRead) (\(error.text)); load it again from a whole copy"
            )
        }
    }

    /// Reads XML attributes: `Name="text with &lt;entities&gt;"`.
    private func row(_ text: ArraySlice<UInt8>) throws(SourceFailure) -> (id: [UInt8], row: [UInt8]) {
        var json = JSONWriter(capacity: text.count + 64)
        json.begin()
        var id: [UInt8] = []
        var here = text.startIndex
        while true {
            while here < text.endIndex, [0x20, 0x09, 0x0D].contains(text[here]) { here += 1 }
            guard here < text.endIndex, text[here] != UInt8(ascii: "/") else { break }
            guard let equals = text[here...].firstIndex(of: UInt8(ascii: "=")), equals + 1 < text.endIndex,
                text[equals + 1] == UInt8(ascii: "\""),
                let end = text[(equals + 2)...].firstIndex(of: UInt8(ascii: "\""))
            else { throw SourceFailure("\(path), line \(line) is no row: an attribute is cut short") }
            let name = String(decoding: text[here..<equals], as: UTF8.self)
            guard let value = Self.unescape(text[(equals + 2)..<end]) else {
                throw SourceFailure(
                    "\(path), line \(line): the attribute \(name) holds an entity that XML does not know")
            }
            if name == "Id" { id = Array(value.utf8) }
            json.add(name, value)
            here = end + 1
        }
        json.end()
        return (id, json.array)
    }

    private static func unescape(_ text: ArraySlice<UInt8>) -> String? {
        guard text.contains(UInt8(ascii: "&")) else { return String(decoding: text, as: UTF8.self) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var here = text.startIndex
        while here < text.endIndex {
            guard text[here] == UInt8(ascii: "&") else {
                bytes.append(text[here])
                here += 1
                continue
            }
            guard let end = text[here...].prefix(12).firstIndex(of: UInt8(ascii: ";")),
                let character = character(String(decoding: text[(here + 1)..<end], as: UTF8.self))
            else { return nil }
            bytes.append(contentsOf: String(character).utf8)
            here = end + 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func character(_ entity: String) -> Character? {
        switch entity {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default: break
        }
        let code =
            entity.hasPrefix("#x") || entity.hasPrefix("#X")
            ? UInt32(entity.dropFirst(2), radix: 16) : entity.hasPrefix("#") ? UInt32(entity.dropFirst()) : nil
        return code.flatMap(Unicode.Scalar.init).map(Character.init)
    }
}
