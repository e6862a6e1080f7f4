/// Names, labels and numbers of Prometheus' text exposition format 0.0.4.
///
/// https://prometheus.io/docs/instrumenting/exposition_formats/
enum MetricText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// A valid metric name: other characters become `_`.
    static func metricName(_ text: String) -> String { name(text, allowing: [UInt8(ascii: ":")]) }

    /// A valid label name. Names that begin with `__` are Prometheus' own.
    static func labelName(_ text: String) -> String {
        let name = name(text, allowing: [])
        return name.hasPrefix("__") ? "label" + name : name
    }

    private static func name(_ text: String, allowing others: [UInt8]) -> String {
        var bytes = text.utf8.map { byte in
            let fits =
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: others.contains(byte)
                }
            return fits ? byte : UInt8(ascii: "_")
        }
        if bytes.first.map({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) ?? true {
            bytes.insert(UInt8(ascii: "_"), at: 0)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `{a="1",b="2"}` in order of the names; empty for no labels. Of labels with the same name the first counts.
    static func labels(_ dimensions: [(String, String)], besides reserved: String? = nil) -> String {
        var taken = Set([reserved].compactMap(\.self))
        let pairs = dimensions.map { (labelName($0.0), $0.1) }.filter { taken.insert($0.0).inserted }
        guard !pairs.isEmpty else { return "" }
        let texts = pairs.sorted { $0.0 < $1.0 }.map { "\($0.0)=\"\(labelValue($0.1))\"" }
        return "{" + texts.joined(separator: ",") + "}"
    }

    static func labelValue(_ text: String) -> String { escaped(text, quote: true) }

    static func help(_ text: String) -> String { escaped(text, quote: false) }

    private static func escaped(_ text: String, quote: Bool) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        // By scalar, not by character: a carriage return and a line feed are one character.
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quote: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// As Go's `ParseFloat` reads it; whole numbers without a point.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value.rounded() == value, value.magnitude < 0x1p53 { return String(Int64(value)) }
        return value.description
    }
}
