import Bytes
import Pages
import Throughput

/// One question's page: as readers of the site would see it, or the reason why it cannot be shown. Without scripts.
struct QuestionPage {
    let id: [UInt8]
    /// The partition in the request.
    let partition: Int32?
    /// nil: the request names no question.
    let outcome: QuestionOutcome?

    var html: String {
        PlainPage.html(title: title, header: form, content: content)
    }

    private var form: String {
        """
        <form action="/questions" method="get" role="search">
        <label for="id">Question id</label>
        <input id="id" name="id" value="\(Markup.escaped(idText))" required maxlength="200" autocomplete="off" \
        autocapitalize="none" spellcheck="false" placeholder="Question id">
        <button>Show</button>
        </form>
        """
    }

    private var idText: String { String(decoding: id, as: UTF8.self) }

    private var title: String { idText.isEmpty ? "Questions" : "Question \(idText)" }

    private var content: String {
        switch outcome {
        case nil:
            """
            <h1>Look a question up</h1>
            <p class="quiet">Give its id above: here is shown what the worker would publish for it now.</p>
            """
        case .enriched(let bytes, let event)?: Self.page(bytes) + record(bytes, event)
        case let outcome?:
            """
            <div class="problem">
            <h1>\(Markup.escaped(Self.problem(outcome)))</h1>
            <p>\(Markup.escaped(outcome.sentence))</p>
            </div>
            <p class="quiet">Status \(outcome.status.code), \(Markup.escaped(outcome.word)). <a href="/">To the \
            dashboard</a></p>
            """
        }
    }

    private static func problem(_ outcome: QuestionOutcome) -> String {
        switch outcome {
        case .enriched: "Enriched"
        case .noID: "No question id"
        case .noPartition: "No such partition"
        case .notFound, .notStored: "Not found"
        case .deleted: "Deleted"
        case .notOwned: "Another worker has it"
        case .refused: "It would be a dead letter"
        case .restoring: "Not restored yet"
        case .busy: "Another search is under way"
        case .unreachable: "The cluster does not answer"
        case .tooLong: "Too far back"
        case .noAnswer: "The lane does not answer"
        }
    }

    // MARK: - The record as its readers see it

    private static func page(_ bytes: [UInt8]) -> String {
        guard let record = EnrichedQuestion.read(bytes) else {
            return """
                <h1>The enriched record</h1>
                <p class="quiet">It is valid and would be published, but holds what this page cannot take apart; so \
                here it is as it is.</p>
                """
        }
        var parts = [block("h1", record.question.title)]
        let asked = [record.question.author?.displayName.map { "Asked by \($0)" }, record.question.askedAt.map(day)]
            .compactMap {
                $0
            }
        if !asked.isEmpty { parts.append(block("p class=\"quiet\"", asked.joined(separator: ", "))) }
        parts.append(block("p class=\"text\"", record.question.body))
        if let tags = record.question.tags, !tags.isEmpty {
            parts.append("<ul class=\"tags\">\(tags.map { block("li", $0) }.joined())</ul>")
        }
        parts.append(block("h2", record.heading))
        if record.answers.isEmpty, record.answersOmitted == nil {
            parts.append("<p class=\"quiet\">There is no answer yet.</p>")
        }
        parts.append("<ol class=\"answers\">\n\(record.answers.map(answer).joined(separator: "\n"))\n</ol>")
        if let omitted = record.answersOmitted {
            let more = "\(FigureText.whole(omitted)) more answer\(omitted == 1 ? "" : "s")"
            parts.append(
                "<p class=\"omitted quiet\">\(more) would make the record longer than it may be, and would be left "
                    + "out.</p>"
            )
        }
        return parts.joined(separator: "\n")
    }

    private static func answer(_ ranked: EnrichedQuestion.Ranked) -> String {
        let low = ranked.voteCount < 0 ? " low" : ""
        return """
            <li>
            <p class="votes\(low)">\(Markup.escaped(ranked.voteLabel)) <small>votes</small></p>
            <article>
            \(block("h3", ranked.answer.title))\(block("p class=\"text\"", ranked.answer.body))
            \(author(ranked.answer))
            </article>
            </li>
            """
    }

    /// Name, profession, specialty, location, rating and review count, where present.
    private static func author(_ answer: EnrichedQuestion.Content) -> String {
        let author = answer.author
        var details = author.map { $0.origin + $0.reputation } ?? []
        if let time = answer.answeredAt { details.append(day(time)) }
        let name = author?.displayName.map { block("b", $0) } ?? ""
        let rest = details.map { block("span", $0) }.joined()
        if name.isEmpty && rest.isEmpty { return "" }
        return "<p class=\"author\">\(name)\(name.isEmpty || rest.isEmpty ? "" : "<br>")\(rest)</p>"
    }

    /// The date of a validated RFC 3339 time.
    private static func day(_ time: String) -> String { String(time.prefix(10)) }

    /// An element with text; empty where there is no text. Right-to-left text does not affect the text around it.
    private static func block(_ tag: String, _ text: String?) -> String {
        guard let text, !text.isEmpty else { return "" }
        let name = tag.prefix { $0 != " " }
        return "<\(tag) dir=\"auto\">\(Markup.escaped(text))</\(name)>"
    }

    // MARK: - The record as it is

    private func record(_ bytes: [UInt8], _ event: QuestionEvent) -> String {
        let path = "/questions/\(QueryText.encoded(id))"
        // Browsers resolve "." and ".." in a path as steps, escaped or not.
        let isStep = id.elementsEqual(".".utf8) || id.elementsEqual("..".utf8)
        var link = isStep ? "/questions?id=\(QueryText.encoded(id))&format=json" : "\(path)?format=json"
        if let partition { link += "&partition=\(partition)" }
        var from = "the event at offset \(event.offset) of \(event.place)"
        if let timestamp = event.timestamp {
            from += ", stamped \(CalendarTime.rfc3339(milliseconds: timestamp))"
        }
        return """

            <section class="record">
            <p class="quiet">What the worker would publish now, from \(Markup.escaped(from)).
            <a href="\(Markup.escaped(link))">The record as JSON</a>, \(FigureText.whole(bytes.count)) bytes.</p>
            <details><summary>Show it here</summary>
            <pre>\(Markup.escaped(String(decoding: bytes, as: UTF8.self)))</pre>
            </details>
            </section>
            """
    }
}
