import AnswerStore
import Foundation
import Testing

@testable import Sources

@Suite("A Stack Exchange dump")
struct StackExchangeDumpTests {
    private static let posts = """
        <?xml version="1.0" encoding="utf-8"?>
        <posts>
          <row Id="4" PostTypeId="1" CreationDate="2008-07-31T21:42:52.667" Score="794" \
          Body="&lt;p&gt;a &amp;amp; &quot;b&quot;&#xA;&lt;/p&gt;" OwnerUserId="8" Title="Convert &#233; 😀" \
          Tags="&lt;c#&gt;&lt;.net&gt;" ContentLicense="CC BY-SA 4.0" />
          <row Id="7" PostTypeId="2" ParentId="4" CreationDate="2008-07-31T22:17:57.883" Score="5" Body="x" \
          OwnerDisplayName="Ann" />
          <row Id="9" PostTypeId="2" CreationDate="never" />
          <row Id="10" PostTypeId="5" />
        </posts>
        """
    private static let votes = """
        <votes>
          <row Id="1" PostId="7" VoteTypeId="2" CreationDate="2008-08-01T00:00:00.000" />
          <row Id="2" PostId="7" VoteTypeId="3" CreationDate="2008-08-01T00:00:00.000" />
          <row Id="3" PostId="4" VoteTypeId="2" CreationDate="2008-08-01T00:00:00.000" />
          <row Id="4" PostId="7" VoteTypeId="5" UserId="1" CreationDate="2008-08-01T00:00:00.000" />
        </votes>
        """

    @Test("answers, their votes, then questions", arguments: [true, false])
    func reads(hasVotes: Bool) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("dump-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try Self.posts.write(to: directory.appendingPathComponent("Posts.xml"), atomically: true, encoding: .utf8)
        try Self.votes.write(to: directory.appendingPathComponent("Votes.xml"), atomically: true, encoding: .utf8)
        let store = try IndexStore(directory: directory.path + "/index", source: "test")
        defer { store.close() }
        let dump = StackExchangeDump(directory: directory.path, hasVotes: hasVotes, store: store)
        var records: [Site.Published] = []
        try dump.run { records.append(Site.Published($0)) }
        let tally = hasVotes ? "" : #","voteCount":5"#
        let cast = { (voter: Int, value: Int) in
            Site.Published.vote(
                "4",
                #"{"questionId":"4","answerId":"7","voterId":"\#(voter)","value":\#(value),"#
                    + #""castAt":"2008-08-01T00:00:00.000Z"}"#
            )
        }
        var expected: [Site.Published] = [
            .answer(
                "4",
                #"{"id":"7","questionId":"4","body":"x","author":{"displayName":"Ann"},"#
                    + #""answeredAt":"2008-07-31T22:17:57.883Z"\#(tally)}"#)
        ]
        if hasVotes { expected += [cast(1, 1), cast(2, -1)] }
        expected.append(
            .question(
                "4",
                #"{"id":"4","title":"Convert é 😀","body":"<p>a &amp; \"b\"\u000a</p>","author":{"id":"8"},"#
                    + #""tags":["c#",".net"],"askedAt":"2008-07-31T21:42:52.667Z","ContentLicense":"CC BY-SA 4.0"}"#))
        #expect(records == expected)
        #expect(dump.refused == 1)
        #expect(dump.reasons.first?.hasPrefix("Posts.xml, Id 9: field 'questionId' has no value") == true)
        #expect(dump.progress.bytes == dump.progress.size)
    }
}
