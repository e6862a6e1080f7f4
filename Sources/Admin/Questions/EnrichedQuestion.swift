import Foundation
import Throughput

/// An enriched record, decoded for a page. A field of an unexpected type is left out, and the page shows the rest.
package struct EnrichedQuestion: Decodable, Equatable {
    package struct Author: Decodable, Equatable {
        package var displayName: String?
        var profession: String?
        var specialty: String?
        var location: String?
        var rating: Double?
        var reviewCount: Double?

        private enum Key: String, CodingKey { case displayName, profession, specialty, location, rating, reviewCount }

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
        package var title: String?
        package var body: String?
        package var author: Author?
        var tags: [String]?
        /// Questions only.
        var askedAt: String?
        /// Answers only.
        var answeredAt: String?

        private enum Key: String, CodingKey { case title, body, author, tags, askedAt, answeredAt }

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

    package struct Ranked: Decodable, Equatable {
        package var answer: Content
        package var voteCount: Int64
        package var voteLabel: String
    }

    package var question: Content
    package var answers: [Ranked]
    package var answerCount: Int
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
