/// Compares a recording's records with its manifests. A file may be several recordings, one after the other.
///
/// Recordings without these lines, such as kcat's, are not hashed. Not Sendable: belongs to its reader.
struct ManifestCheck {
    private enum State {
        /// Between recordings, or in one without a manifest.
        case outside
        /// After a first line: the hash of the lines since then; nil where there is none.
        case inside(LineDigest?)
    }

    private var state = State.outside
    /// Records of the file before the present recording.
    private var recordsBefore = 0
    /// Sentences for people, without the file's name, their subject, and without their ends.
    private(set) var warnings: [String] = []

    /// Whether lines are hashed.
    var isHashing: Bool {
        if case .inside = state { true } else { false }
    }

    func add(_ lines: UnsafeRawBufferPointer) {
        if case .inside(let digest?) = state { digest.add(lines) }
    }

    /// - Parameter records: the records of the file before this line.
    mutating func take(_ mark: RecordingMark, after records: Int) {
        switch mark {
        case .beginning:
            if isHashing { warnAboutMissingManifest(after: records, isPartial: false) }
            state = .inside(LineDigest())
        case .manifest(let manifest):
            if let manifest {
                compare(manifest, records - recordsBefore)
            } else {
                warnings.append(
                    "has a manifest that this version cannot read, so its records are not compared with it")
            }
            state = .outside
        }
        recordsBefore = records
    }

    /// - Parameter isPartial: the file is one that its recorder did not finish.
    mutating func end(after records: Int, isPartial: Bool) {
        if isHashing { warnAboutMissingManifest(after: records, isPartial: isPartial) }
        state = .outside
    }

    private mutating func warnAboutMissingManifest(after records: Int, isPartial: Bool) {
        warnings.append(
            isPartial
                ? "was not finished by its recorder, so later records may be missing"
                : "lacks its manifest after \(records) records: the file was cut off or edited")
    }

    private mutating func compare(_ manifest: RecordingManifest, _ count: Int) {
        let remedy = "; without its first and its last line it is read as a recording of its own"
        switch state {
        case .outside:
            warnings.append(
                "lacks the beginning of a recording of \(manifest.records) records: the file was cut or edited")
        case .inside(let digest):
            if count != manifest.records {
                warnings.append(
                    "has \(count) records where its manifest says \(manifest.records): the file was cut or edited"
                        + remedy)
            } else if let digest, digest.finish() != manifest.sha256 {
                warnings.append(
                    "has other records than its manifest says (their SHA-256 differs): the file was edited"
                        + remedy)
            }
        }
        if let gap = manifest.gaps.first {
            let more = manifest.gaps.count > 1 ? " and \(manifest.gaps.count - 1) more such gaps" : ""
            warnings.append(
                "has gaps: offsets \(gap.from) to \(gap.to &- 1) of \(Excerpt.text(gap.topic)) [\(gap.partition)]"
                    + "\(more) were gone before they could be recorded")
        }
        if manifest.ended == .failed {
            warnings.append("was broken off by an error of its recorder, so later records are missing")
        }
    }
}
