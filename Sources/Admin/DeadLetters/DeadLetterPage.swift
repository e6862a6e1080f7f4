import Bytes
import KafkaClient
import Pages
import Throughput
import Worker

/// The pages about dead letters. Without scripts, since their content comes from records.
enum DeadLetterPage {
    /// The longest key, value or header shown in full, in bytes.
    private static let longestShown = 100_000

    /// - Parameter notes: latest first.
    static func list(_ notes: [DeadLetterNote]) -> String {
        let rows = notes.map { note in
            """
            <li>
            <p class="quiet">\(CalendarTime.rfc3339(milliseconds: note.time)), <b>\(note.code.rawValue)</b>, \
            <a href="\(Markup.escaped(DeadLetterRoutes.link(to: note)))">\(place(note.place, note.offset))</a></p>
            <p class="text" dir="auto">\(Markup.escaped(note.message))</p>
            </li>
            """
        }
        let content =
            notes.isEmpty
            ? "<p class=\"quiet\">The worker has set no record aside since it started.</p>"
            : "<ol class=\"answers\">\n\(rows.joined(separator: "\n"))\n</ol>"
        return page(title: "Dead letters", "<h1>The last dead letters</h1>\n\(content)")
    }

    static func page(_ outcome: DeadLetterOutcome) -> String {
        switch outcome {
        case .opened(let note, let record):
            page(title: "Dead letter", opened(note, record))
        case .forgotten(let note):
            page(title: "Dead letter", heading(note) + problem(outcome))
        case .unknown, .busy, .unreachable:
            page(title: "Dead letter", "<h1>A dead letter</h1>\n" + problem(outcome))
        }
    }

    private static func problem(_ outcome: DeadLetterOutcome) -> String {
        "<div class=\"problem\">\n<p>\(Markup.escaped(outcome.sentence))</p>\n</div>"
    }

    private static func heading(_ note: DeadLetterNote) -> String {
        """
        <h1>\(note.code.rawValue)</h1>
        <p class="text" dir="auto">\(Markup.escaped(note.message))</p>
        <p class="quiet">\(place(note.place, note.offset)), set aside \
        \(CalendarTime.rfc3339(milliseconds: note.time))</p>

        """
    }

    private static func opened(_ note: DeadLetterNote, _ record: SourceRecord) -> String {
        let headers = record.headers.map { header in
            "<h3>\(Markup.line(header.name))</h3>\n" + content(header.value)
        }
        let time = record.timestamp.map { CalendarTime.rfc3339(milliseconds: $0) } ?? "none"
        return heading(note) + """
            <section class="record">
            <p class="quiet">The record as its topic has it. Timestamp: \(time). \
            <a href="\(Markup.escaped(DeadLetterRoutes.link(to: note)))?format=json">As JSON</a></p>
            <h2>Key</h2>
            \(content(record.key))
            <h2>Value</h2>
            \(content(record.value))
            <h2>Headers</h2>
            \(headers.isEmpty ? "<p class=\"quiet\">none</p>" : headers.joined(separator: "\n"))
            </section>
            """
    }

    /// Text as text; other bytes in hexadecimal.
    private static func content(_ bytes: [UInt8]?) -> String {
        guard let bytes else { return "<p class=\"quiet\">null</p>" }
        guard !bytes.isEmpty else { return "<p class=\"quiet\">empty</p>" }
        let size = "\(FigureText.whole(bytes.count)) byte\(bytes.count == 1 ? "" : "s")"
        if bytes.count <= longestShown, let text = String(validating: bytes, as: UTF8.self) {
            return "<p class=\"quiet\">\(size)</p>\n<pre dir=\"auto\">\(Markup.escaped(text))</pre>"
        }
        let part = bytes.prefix(longestShown / 50)
        let shown = part.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        let isCut = part.count < bytes.count ? ", the first \(FigureText.whole(part.count)) here" : ""
        return "<p class=\"quiet\">\(size)\(isCut), in hexadecimal</p>\n<pre>\(shown.joined(separator: " "))</pre>"
    }

    private static func place(_ place: TopicPartition, _ offset: Int64) -> String {
        Markup.line("\(place) offset \(offset)")
    }

    private static func page(title: String, _ content: String) -> String {
        PlainPage.html(
            title: title, header: "<a href=\"\(DeadLetterRoutes.path)\">Dead letters</a>", content: content)
    }
}
