import Foundation
import Throughput

/// An enriched record, decoded for a page. A field of an unexpected type is left out, and the page shows the rest.
package struct EnrichedQuestion: Decodable, Equatable {
    /// The author of a question or of an answer.
    package struct Author: Decodable, Equatable {
        /// nil: a page shows "anonymous".
        package var displayName: String?
        var profession: String?
        var specialty: String?
        var location: String?
        var rating: Double?
        var reviewCount: Double?

        private enum Key: String, CodingKey { case displayName, profession, specialty, location, rating, reviewCount }

        /// - Throws: only when the author is no JSON object.
        package init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Key.self)
            displayName = try? fields.decode(String.self, forKey: .displayName)
            profession = try? fields.decode(String.self, forKey: .profession)
            specialty = try? fields.decode(String.self, forKey: .specialty)
            location = try? fields.decode(String.self, forKey: .location)
            rating = try? fields.decode(Double.self, forKey: .rating)
            reviewCount = try? fields.decode(Double.self, forKey: .reviewCount)
        }

        /// Profession, specialty and location, where present.
        package var origin: [String] { [profession, specialty, location].compactMap(\.self).filter { !$0.isEmpty } }

        /// "4.9 out of 5", "188 reviews", where present.
        package var reputation: [String] {
            var parts: [String] = []
            if let rating { parts.append("\(FigureText.tenths(rating)) out of 5") }
            if let reviewCount {
                parts.append("\(FigureText.whole(reviewCount)) review\(reviewCount == 1 ? "" : "s")")
            }
            return parts
        }
    }

    /// The text of a question or of an answer.
    package struct Content: Decodable, Equatable {
        /// An answer may have none.
        package var title: String?
        /// Plain text or markup, as the site has it: escape it before it is shown.
        package var body: String?
        /// nil where the record has none, or one that is no object.
        package var author: Author?
        var tags: [String]?
        /// Questions only.
        var askedAt: String?
        /// Answers only.
        var answeredAt: String?

        private enum Key: String, CodingKey { case title, body, author, tags, askedAt, answeredAt }

        /// - Throws: only when the question or the answer is no JSON object.
        package init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Key.self)
            title = try? fields.decode(String.self, forKey: .title)
            body = try? fields.decode(String.self, forKey: .body)
            author = try? fields.decode(Author.self, forKey: .author)
            tags = try? fields.decode([String].self, forKey: .tags)
            askedAt = try? fields.decode(String.self, forKey: .askedAt)
            answeredAt = try? fields.decode(String.self, forKey: .answeredAt)
        }
    }

    /// A visible answer with its votes.
    package struct Ranked: Decodable, Equatable {
        /// The answer as stored.
        package var answer: Content
        /// The tally; may be negative.
        package var voteCount: Int64
        /// As `Schemas/` defines it: one more than the count, with a `+` from a count of 0 on.
        package var voteLabel: String
    }

    /// The question as its event brought it.
    package var question: Content
    /// The answers of the record, in its order: the highest vote count first.
    package var answers: [Ranked]
    /// Visible answers, those that did not fit into the record included.
    package var answerCount: Int
    /// Answers that did not fit into the record; nil: none.
    package var answersOmitted: Int?

    /// - Returns: nil where Foundation cannot decode the record; the page then shows its bytes.
    package static func read(_ json: [UInt8]) -> EnrichedQuestion? {
        try? JSONDecoder().decode(EnrichedQuestion.self, from: Data(json))
    }

    /// "Doctor Answers 3" where all authors share a profession, else "Answers 3".
    package var heading: String {
        let professions = Set(answers.map { $0.answer.author?.profession })
        guard professions.count == 1, let profession = professions.first ?? nil, !profession.isEmpty else {
            return "Answers \(answerCount)"
        }
        return "\(profession.prefix(1).uppercased() + profession.dropFirst()) Answers \(answerCount)"
    }
}
