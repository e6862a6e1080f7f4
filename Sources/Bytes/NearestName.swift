/// Finds the known name nearest to a misspelled one.
package enum NearestName {
    /// The candidate that needs the fewest edits, upper and lower case alike. The last part of a dotted name counts by
    /// itself too, so that `groupId` finds `kafka.groupId`, and a beginning counts for the whole, so that `store.dir`
    /// finds `store.directory`. "" if there are no candidates.
    /// - Parameter aliases: names that users may try instead, and the candidate for each.
    package static func of(_ name: String, in candidates: [String], aliases: [String: String] = [:]) -> String {
        // A longer name is no typing error, and comparing costs the square of the length.
        let name = String(name.prefix(100)).lowercased()
        let pairs = candidates.map { ($0, $0) } + aliases.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        return pairs.min { cost(name, $0.0.lowercased()) < cost(name, $1.0.lowercased()) }?.1 ?? ""
    }

    private static func cost(_ name: String, _ candidate: String) -> Int {
        let leaf = lastPart(name)
        let candidateLeaf = lastPart(candidate)
        var byLeaf = distance(leaf, candidateLeaf)
        if leaf.count >= 3, candidateLeaf.hasPrefix(leaf) || leaf.hasPrefix(candidateLeaf) { byLeaf = min(byLeaf, 1) }
        let isSameSection = name.dropLast(leaf.count) == candidate.dropLast(candidateLeaf.count)
        // The whole name wins a draw.
        return min(distance(name, candidate) * 2, byLeaf * 2 + (isSameSection ? 0 : 1))
    }

    private static func lastPart(_ name: String) -> String {
        name.split(separator: ".").last.map(String.init) ?? name
    }

    /// Edits between two names: insert, delete, replace, or swap two neighbours.
    package static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.utf8)
        let b = Array(b.utf8)
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                let cost = a[i - 1] == b[j - 1] ? 0 : 1
                var least = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    least = min(least, beforeLast[j - 2] + 1)
                }
                row.append(least)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
