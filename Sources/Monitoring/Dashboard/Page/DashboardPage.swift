/// The dashboard's files, in the binary, so that the page loads no external resource. String literals, since an array
/// of bytes, which the package manager makes of an embedded file, takes the compiler longer than the rest of this
/// module.
enum DashboardPage {
    struct Part: Sendable {
        /// Media type.
        let type: String
        let text: String
    }

    /// Parts by their names below `/dashboard/`.
    static let parts: [String: Part] = [
        "style.css": Part(type: css, text: style),
        "question.css": Part(type: css, text: questionStyle),
        "main.js": Part(type: script, text: main),
        "live.js": Part(type: script, text: live),
        "chart.js": Part(type: script, text: chart),
        "scale.js": Part(type: script, text: scale),
        "panels.js": Part(type: script, text: panels),
        "verdict.js": Part(type: script, text: verdict),
        "format.js": Part(type: script, text: format),
        "icon.svg": Part(type: "image/svg+xml", text: icon),
    ]

    private static let css = "text/css; charset=utf-8"
    private static let script = "text/javascript; charset=utf-8"
}
