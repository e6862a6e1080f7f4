import Bytes
import Yams

/// Checks the values that a mapping itself holds against the types of their fields.
extension SourceConfigurationReader {
    mutating func checkValues(_ field: FieldMapping, _ mapping: Node.Mapping, _ label: String) {
        if field.test != nil, let standard = mapping["default"] {
            report(
                "\(label) in \(place(standard)) has a default:, which in: and not: never come to: name null among "
                    + "their values."
            )
        }
        if field.test != nil, let map = mapping["map"] {
            report(
                "\(label) in \(place(map)) has map: beside in: or not:, which make true or false by themselves; keep "
                    + "one."
            )
        }
        guard field.test == nil else { return }
        if let replacements = field.replacements {
            for (from, to) in mapping["map"]?.mapping ?? [:] {
                guard let text = scalar(to), let wants = field.refusal(of: text) else { continue }
                report(
                    "\(label) map in \(place(to)) has \(excerpt(text)) for \(excerpt(scalar(from) ?? "null")), and "
                        + "\(wants)."
                )
            }
            if let standard = field.standard, replacements[standard] == nil, let node = mapping["default"] {
                report(
                    "\(label) default in \(place(node)) is \(excerpt(standard)), which map: does not name; the default "
                        + "is put through map:, so that the nearest is "
                        + "\(excerpt(NearestName.of(standard, in: replacements.keys.sorted()))).")
            }
        } else if let standard = field.standard, let wants = field.refusal(of: standard), let node = mapping["default"]
        {
            report("\(label) default in \(place(node)) is \(excerpt(standard)), and \(wants).")
        }
        if case .constant(let text) = field.source, field.replacements == nil, let wants = field.refusal(of: text),
            let node = mapping["constant"]
        {
            report("\(label) constant in \(place(node)) is \(excerpt(text)), and \(wants).")
        }
    }
}

extension FieldMapping {
    /// A clause on the field's type, for a text that the field can never take; nil: it takes the text.
    fileprivate func refusal(of text: String) -> String? {
        let name = "\(field.name) is"
        switch field.kind {
        case .id: return 1...200 ~= text.utf8.count ? nil : "\(name) an id of 1 to 200 bytes"
        case .time:
            if TimeText.rfc3339(text) != nil { return nil }
            return unit != nil && DecimalText.integer(text) != nil
                ? nil : "\(name) a time, as 2025-01-31T12:00:00Z, or a number whose unit as: names"
        case .boolean, .deletion:
            return BooleanText.value(of: text) != nil ? nil : "\(name) true or false"
        case .number: return DecimalText.isNumber(text) ? nil : "\(name) a number"
        case .integer: return DecimalText.integer(text) != nil ? nil : "\(name) an integer"
        case .voteValue: return ["-1", "0", "1"].contains(text) ? nil : "a vote is -1, 0 or 1"
        case .string, .strings: return nil
        }
    }
}
