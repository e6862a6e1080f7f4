import Pages

/// The frame of a report's page. It loads no external resource.
enum PageStyle {
    private static let css = PageFile.reportStyle.text + colours

    /// Colours: `c1` and up for lines, `t1` and up for lane activities.
    private static var colours: String {
        let names = (1...7).map { "c\($0)" } + (1...9).map { "t\($0)" } + ["sum"]
        return names.map { name in
            ".line.\(name){stroke:var(--\(name))}.band.\(name),.layer.\(name){fill:var(--\(name))}.swatch.\(name){color:var(--\(name))}"
        }.joined() + ".st.st-idle{stroke:var(--rule)}"
    }

    static func page(title: String, body: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <meta name="referrer" content="no-referrer"><title>\(Markup.line(title))</title>
        <style>\(css)</style></head><body>
        \(body)</body></html>

        """
    }
}
