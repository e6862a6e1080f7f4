import Pages

/// The frame of the admin port's pages without scripts: their content comes from records and from other workers.
enum PlainPage {
    /// - Parameters:
    ///   - header: links and forms after the product's name, as HTML.
    ///   - content: HTML.
    ///   - refreshSeconds: reloads the page after this time; nil: never.
    static func html(title: String, header: String, content: String, refreshSeconds: Int? = nil) -> String {
        let refresh = refreshSeconds.map { "\n<meta http-equiv=\"refresh\" content=\"\($0)\">" } ?? ""
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">\(refresh)
            <title>\(Markup.escaped(title)) – Rejoinder</title>
            <link rel="icon" href="/dashboard/icon.svg" type="image/svg+xml">
            <link rel="stylesheet" href="/dashboard/question.css">
            </head>
            <body>
            <header>
            <a href="/">Rejoinder</a>
            \(header)
            </header>
            <main>
            \(content)
            </main>
            </body>
            </html>

            """
    }
}
