import Bytes
import Configuration
import Foundation
import Sources
import Yams

/// A configuration file, with checks that swift-configuration lacks: unknown keys, keys without a value, values of the
/// wrong shape. Ranges are checked later, alike for every source.
struct SettingsFile {
    let path: String
    /// The values; nil while `problems` is not empty.
    private(set) var snapshot: (any ConfigSnapshot)?
    /// Line numbers of the keys in the file, by path; `propertyLines`: of the librdkafka properties, by property name.
    private(set) var lines: [SettingKey: Int] = [:]
    private(set) var propertyLines: [String: Int] = [:]
    private(set) var sources: [SourceMapping] = []
    /// Of each topic that a source reads, the line of the first entry.
    private(set) var sourceLines: [String: Int] = [:]
    /// The sources as YAML; nil: there are none.
    private(set) var sourcesText: String?
    private(set) var problems: [SettingProblem] = []

    /// Far above any real file; bounds the cost of a wrong path, such as a log file's.
    static let longestFile = 1 << 20

    /// - Throws: when the whole file is unreadable. Faults of single keys go to `problems`.
    init(path: String) throws(SettingsError) {
        let data = try Self.contents(of: path)
        let root = try Self.root(of: data, path: path)
        self.path = path
        guard case .mapping(let mapping) = root else {
            throw Self.unreadable(path, "its top level is not a mapping of keys to values")
        }
        for (key, value) in mapping { readTop(key, value) }
        // The library gets valid files only, since it expands anchors without limit.
        if problems.isEmpty {
            snapshot = try Self.snapshot(of: try Self.withoutSources(mapping, data, path), path: path)
        }
    }

    func origin(of key: SettingKey) -> SettingOrigin { .file(path, line: lines[key]) }
    func origin(ofSource topic: String) -> SettingOrigin { .file(path, line: sourceLines[topic]) }
    func origin(ofProperty name: String) -> SettingOrigin { .file(path, line: propertyLines[name]) }

    // MARK: Reading

    private static func contents(of path: String) throws(SettingsError) -> Data {
        var information = stat()
        guard stat(path, &information) == 0 else {
            throw unreadable(path, String(cString: strerror(errno)))
        }
        guard information.st_mode & S_IFMT != S_IFDIR else { throw unreadable(path, "it is a directory") }
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            var data = Data()
            // In pieces, since a read from a pipe may be short.
            while data.count <= longestFile, let piece = try handle.read(upToCount: longestFile), !piece.isEmpty {
                data.append(piece)
            }
            guard data.count <= longestFile else {
                throw unreadable(path, "it is longer than \(longestFile) bytes, so it is hardly a configuration file")
            }
            return data
        } catch let error as SettingsError {
            throw error
        } catch {
            let code = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
            throw unreadable(path, code.map { String(cString: strerror(Int32($0.code))) } ?? "reading failed")
        }
    }

    /// Reports the place and the fault but never the line: it may hold a password.
    private static func root(of data: Data, path: String) throws(SettingsError) -> Node {
        do {
            // An explicit encoding, since Yams would take it from an environment variable.
            guard let node = try Parser(yaml: data, encoding: .utf8).singleRoot(), !isNull(node) else {
                throw unreadable(path, "it is empty")
            }
            return node
        } catch let error as SettingsError {
            throw error
        } catch let error as YamlError {
            throw unreadable(path, YAMLFault.clause(error, in: data))
        } catch {
            throw unreadable(path, "it is not YAML")
        }
    }

    private static func unreadable(_ path: String, _ reason: String) -> SettingsError {
        SettingsError(problems: [
            SettingProblem(message: "cannot use the configuration file \(Printable.quoted(path)): \(reason).")
        ])
    }

    private static func snapshot(of data: Data, path: String) throws(SettingsError) -> any ConfigSnapshot {
        do {
            let options = YAMLSnapshot.ParsingOptions(secretsSpecifier: .all)
            return try YAMLSnapshot(data: data.bytes, providerName: path, parsingOptions: options)
        } catch {
            throw unreadable(path, "it is not YAML that can be used")
        }
    }

    /// The library reads scalars and lists of them only, not the sources' mappings.
    private static func withoutSources(
        _ mapping: Node.Mapping, _ data: Data, _ path: String
    ) throws(SettingsError) -> Data {
        guard mapping[SettingKey.sourcesPath] != nil else { return data }
        var rest = mapping
        rest[SettingKey.sourcesPath] = nil
        do { return Data(try Yams.serialize(node: .mapping(rest)).utf8) } catch {
            throw unreadable(path, "it is not YAML that can be used")
        }
    }

    // MARK: Checking

    private mutating func readTop(_ key: Node, _ value: Node) {
        guard let name = name(key) else { return }
        if SettingKey.sections.contains(name) {
            switch value {
            case .mapping(let mapping):
                for (key, value) in mapping { readKey(key, value, section: name) }
            case _ where Self.isNull(value):
                break  // a section whose keys are all commented out
            default:
                report("\(name) in \(place(key)) must hold keys of its own, such as \(example(of: name)).")
            }
        } else if name == SettingKey.sourcesPath {
            var reader = SourceConfigurationReader(path: Printable.text(path))
            reader.read(value)
            sources = reader.mappings
            for source in sources { sourceLines[source.topic] = reader.line(ofTopic: source.topic) }
            sourcesText = try? Yams.serialize(node: .mapping(Node.Mapping([(key, value)])))
            problems += reader.problems.map { SettingProblem(message: $0) }
        } else if let known = SettingKey.byPath[name], known.components.count == 1 {
            readValue(of: known, key, value)
        } else {
            unknown(name, key)
        }
    }

    private mutating func readKey(_ key: Node, _ value: Node, section: String) {
        guard let name = name(key) else { return }
        let path = "\(section).\(name)"
        if path == SettingKey.propertiesPath {
            readProperties(key, value)
        } else if let known = SettingKey.byPath[path] {
            readValue(of: known, key, value)
        } else {
            unknown(path, key)
        }
    }

    private mutating func readProperties(_ key: Node, _ value: Node) {
        switch value {
        case .mapping(let mapping):
            for (key, value) in mapping {
                guard let name = name(key) else { continue }
                propertyLines[name] = key.mark?.line
                let label = "\(SettingKey.propertiesPath) \(Printable.quoted(name))"
                if case .mapping = value {
                    report(
                        "\(label) in \(place(key)) holds keys: write the property's whole name, as in `sasl.password: "
                            + "...`."
                    )
                } else {
                    checkScalar(value, label, key)
                }
            }
        case _ where Self.isNull(value):
            break
        default:
            report(
                "\(SettingKey.propertiesPath) in \(place(key)) must hold librdkafka properties, one `name: value` a "
                    + "line."
            )
        }
    }

    private mutating func readValue(of known: SettingKey, _ key: Node, _ value: Node) {
        lines[known] = key.mark?.line
        checkScalar(value, known.path, key, allowed: ": it must be \(known.definition.kind.allowed)")
    }

    private mutating func checkScalar(_ value: Node, _ label: String, _ key: Node, allowed: String = "") {
        guard case .scalar(let scalar) = value else {
            return report("\(label) in \(place(key)) is not a single value\(allowed).")
        }
        if Self.isNull(value) {
            return report(
                "\(label) in \(place(key)) is empty\(allowed.isEmpty ? ": leave it out or give it a value" : allowed).")
        }
        let tag = scalar.tag.description
        if !tag.hasPrefix("tag:yaml.org,"), !tag.isEmpty, tag != "!" {
            report(
                "\(label) in \(place(key)) has the tag \(Printable.quoted(tag)), which means nothing here: write the "
                    + "value itself."
            )
        }
    }

    private mutating func name(_ key: Node) -> String? {
        guard let name = key.string else {
            report("\(place(key)) has a key that is not text.")
            return nil
        }
        return name
    }

    private mutating func unknown(_ path: String, _ key: Node) {
        var names = [SettingKey.sourcesPath] + SettingKey.allCases.map(\.path) + [SettingKey.propertiesPath]
        if !path.contains(".") { names += SettingKey.sections.sorted() }
        let advice: String
        if SettingKey.byPath[path] != nil || path == SettingKey.propertiesPath {
            let parts = path.split(separator: ".")
            advice = "it is written as two levels, \(parts[0]): and below it \(parts[1]):"
        } else {
            advice = "the nearest known key is \(NearestName.of(path, in: names))"
        }
        report("unknown key \(Printable.quoted(path)) in \(place(key)): \(advice).")
    }

    private func example(of section: String) -> String {
        SettingKey.allCases.first { $0.components.first == section }?.path ?? section
    }

    private func place(_ key: Node) -> String {
        SettingOrigin.file(path, line: key.mark?.line).description
    }

    private mutating func report(_ message: String) {
        problems.append(SettingProblem(message: message))
    }

    private static func isNull(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}
