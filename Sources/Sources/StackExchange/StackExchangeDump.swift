import AnswerStore

/// A Stack Exchange data dump as contract records: answers, then their votes, then the questions, so that each question
/// finds its answers. Reads the files row by row, and keeps each answer's question in a store on disk.
package final class StackExchangeDump {
    /// Bytes read, of the bytes of all passes.
    package struct Progress: Sendable {
        /// Bytes read so far.
        package var bytes = 0
        /// Bytes of all passes together: a file that is read twice counts twice.
        package var size = 0
    }

    private let posts: String
    /// nil: the dump has none, and an answer's score is its tally.
    private let votes: String?
    private let translator: SourceTranslator
    private let index: SourceIndex
    /// Current while the load runs.
    package private(set) var progress = Progress()
    /// Rows that cannot be mapped, and the first reasons.
    package private(set) var refused = 0
    /// At most 20.
    package private(set) var reasons: [String] = []

    private static let prefix = "dump"
    private static let mostReasons = 20

    /// - Parameters:
    ///   - directory: with `Posts.xml`, and `Votes.xml` where there are votes.
    ///   - store: for this load alone.
    ///   - longestValue: bytes of a record's key and value; a row that becomes a longer one is refused.
    package init(directory: String, hasVotes: Bool, store: IndexStore, longestValue: Int = .max) {
        posts = directory + "/Posts.xml"
        votes = hasVotes ? directory + "/Votes.xml" : nil
        var mappings = SourcePreset.stackExchange.mappings(topicPrefix: Self.prefix)
        if !hasVotes, let score = RowPath("Score"),
            let field = ContractField.all(of: .answers).first(where: { $0.name == "voteCount" })
        {
            for number in mappings.indices where mappings[number].into == .answers {
                mappings[number].fields.append(FieldMapping(field, .path(score)))
            }
        }
        index = SourceIndex(store: store)
        translator = SourceTranslator(mappings, index: index)
        translator.isOneTime = true
        translator.longestValue = longestValue
    }

    /// - Parameters:
    ///   - goesOn: asked before each row.
    ///   - publish: takes each record.
    /// - Returns: whether the dump was read to its end, false once `goesOn` said no.
    /// - Throws: `SourceFailure` for a file that cannot be read as a dump; `StoreError`; errors of `publish`.
    @discardableResult
    package func run(
        while goesOn: () -> Bool = { true }, _ publish: (ContractRecord) throws -> Void
    ) throws -> Bool {
        var passes: [(path: String, topic: String, into: ContractTopic)] = [(posts, "Posts", .answers)]
        if let votes { passes.append((votes, "Votes", .votes)) }
        passes.append((posts, "Posts", .questions))
        let files = try passes.map { try DumpFile(path: $0.path) }
        progress.size = files.reduce(0) { $0 + $1.size }
        for (pass, file) in zip(passes, files) {
            let before = progress.bytes
            while let (id, row) = try file.next() {
                guard goesOn() else { return false }
                progress.bytes = before + file.bytesRead
                do {
                    try translate(id, row, pass.topic) { if $0.topic == pass.into { try publish($0) } }
                } catch let failure as SourceFailure {
                    // Reported once, not in both passes over the posts.
                    guard pass.into != .questions else { continue }
                    refused += 1
                    if reasons.count < Self.mostReasons {
                        reasons.append("\(pass.topic).xml, Id \(String(decoding: id, as: UTF8.self)): \(failure)")
                    }
                }
                try index.writeThrough()
            }
        }
        return true
    }

    private func translate(
        _ id: [UInt8], _ row: [UInt8], _ table: String, _ emit: (ContractRecord) throws -> Void
    ) throws {
        try id.withUnsafeBytes { id in
            try row.withUnsafeBytes { row in
                _ = try translator.translate(
                    topic: "\(Self.prefix).\(table)", partition: 0, key: id, value: row, emit: emit)
            }
        }
    }
}
