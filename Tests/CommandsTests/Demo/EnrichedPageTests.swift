import Admin
import Foundation
import Testing

@testable import Commands

@Suite struct EnrichedPageTests {
    private func page(author: String) throws -> String {
        let json = """
            {"question":{"id":"q","title":"Why?"},"answers":[{"answer":{"title":"So","author":\(author)},"voteCount":2,\
            "voteLabel":"+3"}],"answerCount":3,"answersOmitted":2}
            """
        return EnrichedPage(question: try JSONDecoder().decode(EnrichedQuestion.self, from: Data(json.utf8))).text
    }

    @Test func headingAndAuthor() throws {
        let page = try page(
            author:
                #"{"displayName":"Ada","profession":"doctor","specialty":"","location":"Oslo","rating":4.9,"#
                + #""reviewCount":1}"#
        )
        #expect(page.contains("\nDoctor Answers 3\n"))
        #expect(page.contains("-- Ada, doctor, Oslo · 4.9 out of 5 · 1 review\n"))
        #expect(page.contains("(2 more not shown)"))
    }

    @Test(arguments: [#"{"profession":""}"#, #"{"profession":7}"#, "{}", "null"])
    func headingWithoutAProfession(author: String) throws {
        let page = try page(author: author)
        #expect(page.contains("\nAnswers 3\n"))
        #expect(page.contains("-- anonymous\n"))
    }
}
