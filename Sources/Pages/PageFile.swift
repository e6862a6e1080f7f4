import CPages

/// A file of the pages that the program shows, embedded at build: the binary needs no file beside it, and a browser
/// fetches nothing from another host.
package struct PageFile: Sendable {
    /// Media type, with a charset for text.
    package let type: String
    /// UTF-8, without the line end that closes the file.
    package let bytes: [UInt8]

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    private init(_ type: String, _ file: rejoinder_file) {
        self.type = type
        let bytes = UnsafeBufferPointer(start: file.bytes, count: file.count)
        self.bytes = Array(bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...])
    }

    /// The dashboard's page, which its scripts fill.
    package static let dashboard = PageFile("text/html; charset=utf-8", rejoinder_dashboard_html())

    /// The colours, which the other styles use.
    package static let palette = PageFile(css, rejoinder_palette_css())

    /// Styles, scripts and the icon by their names below `/dashboard/`.
    package static let parts: [String: PageFile] = [
        "palette.css": palette,
        "style.css": PageFile(css, rejoinder_style_css()),
        "question.css": PageFile(css, rejoinder_question_css()),
        "main.js": PageFile(script, rejoinder_main_js()),
        "live.js": PageFile(script, rejoinder_live_js()),
        "chart.js": PageFile(script, rejoinder_chart_js()),
        "scale.js": PageFile(script, rejoinder_scale_js()),
        "panels.js": PageFile(script, rejoinder_panels_js()),
        "verdict.js": PageFile(script, rejoinder_verdict_js()),
        "format.js": PageFile(script, rejoinder_format_js()),
        "icon.svg": PageFile("image/svg+xml", rejoinder_icon_svg()),
    ]

    /// The style of a report's page in the palette's colours, for light and dark screens and for paper.
    package static let reportStyle = PageFile(css, rejoinder_report_css())

    /// The section Alerts of docs/operating.md, which scripts/embed-runbook.py copies.
    package static let runbook = PageFile("text/markdown; charset=utf-8", rejoinder_runbook_md())

    private static let css = "text/css; charset=utf-8"
    package static let script = "text/javascript; charset=utf-8"
}
