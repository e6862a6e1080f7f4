import Foundation

/// An enriched record as its page takes it apart. A field that is not what the page can show is left out rather than the page.
struct EnrichedQuestion: Decodable, Equatable {
    struct Author: Decodable, Equatable {
        var displayName: String?
        var profession: String?
        var specialty: String?
        var location: String?
        var rating: Double?
        var reviewCount: Double?

        private enum Key: String, CodingKey { case displayName, profession, specialty, location, rating, reviewCount }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Key.self)
            displayName = try? fields.decode(String.self, forKey: .displayName)
            profession = try? fields.decode(String.self, forKey: .profession)
            specialty = try? fields.decode(String.self, forKey: .specialty)
            location = try? fields.decode(String.self, forKey: .location)
            rating = try? fields.decode(Double.self, forKey: .rating)
            reviewCount = try? fields.decode(Double.self, forKey: .reviewCount)
        }
    }

    /// A question's text or an answer's.
    struct Content: Decodable, Equatable {
        var title: String?
        var body: String?
        var author: Author?
        var tags: [String]?
        /// Of a question.
        var askedAt: String?
        /// Of an answer.
        var answeredAt: String?

        private enum Key: String, CodingKey { case title, body, author, tags, askedAt, answeredAt }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Key.self)
            title = try? fields.decode(String.self, forKey: .title)
            body = try? fields.decode(String.self, forKey: .body)
            author = try? fields.decode(Author.self, forKey: .author)
            tags = try? fields.decode([String].self, forKey: .tags)
            askedAt = try? fields.decode(String.self, forKey: .askedAt)
            answeredAt = try? fields.decode(String.self, forKey: .answeredAt)
        }
    }

    struct Ranked: Decodable, Equatable {
        var answer: Content
        var voteCount: Int64
        var voteLabel: String
    }

    var question: Content
    var answers: [Ranked]
    var answerCount: Int
    var answersOmitted: Int?

    /// - Returns: nil where the record is beyond what Foundation reads: it is shown as it is then.
    static func read(_ json: [UInt8]) -> EnrichedQuestion? {
        try? JSONDecoder().decode(EnrichedQuestion.self, from: Data(json))
    }

    /// "Doctor Answers 3" where all who answer share a profession, else "Answers 3".
    var heading: String {
        let professions = Set(answers.map { $0.answer.author?.profession })
        guard professions.count == 1, let profession = professions.first ?? nil, !profession.isEmpty else {
            return "Answers \(answerCount)"
        }
        return "\(profession.prefix(1).uppercased() + profession.dropFirst()) Answers \(answerCount)"
    }
}
