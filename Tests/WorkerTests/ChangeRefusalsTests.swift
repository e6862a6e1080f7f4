import Records
import Testing

@testable import Worker

@Suite("Questions whose changed record the broker refuses")
struct ChangeRefusalsTests {
    @Test("each refusal halves the changes of a transaction until one is found; then each commit doubles them")
    func search() {
        var search = ChangeSearch()
        search.committed()
        #expect(search.limit == nil)
        #expect(!search.refused(changes: 20) && search.limit == 10)
        search.committed()
        #expect(search.limit == 10)
        #expect(!search.refused(changes: 3) && search.limit == 1)
        #expect(search.refused(changes: 1) && search.limit == 2)
        for _ in 0..<20 { search.committed() }
        #expect(search.limit == nil)
        // Alone by chance, with no limit: the next ones are looked at one by one.
        #expect(!search.refused(changes: 1) && search.limit == 1)
    }

    @Test("a dead letter is said once, and again where its transaction is aborted; the question's event ends it")
    func withheld() {
        var withheld = WithheldQuestions()
        let question = Array("q1".utf8)
        func handle() -> String {
            question.withUnsafeBytes {
                switch withheld.handle($0) {
                case .publish: "publish"
                case .letter(let reason): reason
                case .leaveOut: "leave out"
                }
            }
        }
        #expect(handle() == "publish")
        withheld.found(question, reason: "too old")
        #expect(handle() == "too old")
        #expect(handle() == "leave out")
        withheld.aborted()
        #expect(handle() == "too old")
        withheld.committed()
        withheld.aborted()
        #expect(handle() == "leave out")
        question.withUnsafeBytes { withheld.release($0) }
        #expect(handle() == "publish")
    }
}
