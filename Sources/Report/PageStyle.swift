import Pages

/// The frame of a report's page. It loads no external resource.
enum PageStyle {
    private static let css = PageFile.palette.text + PageFile.reportStyle.text

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
