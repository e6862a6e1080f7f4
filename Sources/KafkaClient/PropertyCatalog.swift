import Bytes
import CRDKafka

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The properties of the installed librdkafka, read from its own description, so that those of a newer librdkafka are
/// known too.
enum PropertyCatalog {
    /// Every property that can be set by name, aliases included.
    static let names: Set<String> = Set(entries.map(\.name))

    /// From an alias to its property: `bootstrap.servers` to `metadata.broker.list`.
    static let aliases: [String: String] = {
        var result: [String: String] = [:]
        for entry in entries { result[entry.name] = result[entry.name] ?? entry.aliasOf }
        return result
    }()

    /// The most similar known name, if one is similar enough.
    static func nearestName(to name: String) -> String? {
        // Lower case: a name that differs only in case is the nearest of all.
        let wanted = String(name.lowercased().prefix(100))
        var best: (name: String, distance: Int)?
        for candidate in names.sorted() {
            let distance = NearestName.distance(wanted, candidate)
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        guard let best, best.distance <= max(2, wanted.utf8.count / 3) else { return nil }
        return best.name
    }

    private struct Entry {
        let name: String
        let aliasOf: String?
    }

    /// librdkafka writes a Markdown table: name | C/P | range | default | importance | description.
    private static let entries: [Entry] = {
        var text: UnsafeMutablePointer<CChar>?
        var size = 0
        guard let stream = open_memstream(&text, &size) else { return [] }
        rd_kafka_conf_properties_show(stream)
        fclose(stream)
        guard let text else { return [] }
        defer { free(text) }
        return String(cString: text).split(separator: "\n").compactMap(entry)
    }()

    /// A row's entry; nil for a row without a property, and for properties that only code can set.
    private static func entry(_ line: Substring) -> Entry? {
        let columns = line.utf8.split(separator: UInt8(ascii: "|"), maxSplits: 5, omittingEmptySubsequences: false)
            .map(trimmed)
        guard columns.count == 6 else { return nil }
        let (name, description) = (String(columns[0]), columns[5])
        guard !name.isEmpty, name != "Property", !name.hasPrefix("--"), !name.hasSuffix("_cb"), name != "opaque",
            name != "interceptors"
        else { return nil }
        let marker = "Alias for `"
        guard description.hasPrefix(marker) else { return Entry(name: name, aliasOf: nil) }
        return Entry(name: name, aliasOf: String(description.dropFirst(marker.count).prefix { $0 != "`" }))
    }

    private static func trimmed(_ column: Substring.UTF8View) -> Substring {
        let space = UInt8(ascii: " ")
        var column = column
        while column.first == space { column.removeFirst() }
        while column.last == space { column.removeLast() }
        return Substring(column)
    }
}
