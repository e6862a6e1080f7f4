import Bytes
import Testing

struct MergeHeapTests {
    private final class Run: MergeRun {
        let number: Int
        var items: ArraySlice<Int>

        init(_ number: Int, _ items: [Int]) {
            self.number = number
            self.items = items[...]
        }

        func precedes(_ other: Run) -> Bool { (items.first ?? 0, number) < (other.items.first ?? 0, other.number) }
    }

    /// Runs of pseudo-random lengths and items, equal ones among them.
    private func runs(_ count: Int, seed: UInt64) -> [Run] {
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        return (0..<count).map { number in Run(number, (0...next(9)).map { _ in next(20) }.sorted()) }
    }

    @Test(arguments: [0, 1, 2, 3, 7, 64], [true, false])
    func itemsComeInOrderAndEqualOnesInTheOrderOfTheirRuns(count: Int, atOnce: Bool) {
        let runs = runs(count, seed: UInt64(count) + 1)
        let expected = runs.flatMap { run in run.items.map { [$0, run.number] } }.sorted {
            $0.lexicographicallyPrecedes($1)
        }
        var heap = MergeHeap(atOnce ? runs : [])
        if !atOnce { for run in runs { heap.insert(run) } }
        var merged: [[Int]] = []
        while let run = heap.first {
            merged.append([run.items.removeFirst(), run.number])
            if run.items.isEmpty { heap.removeFirst() } else { heap.replaceFirst(with: run) }
        }
        #expect(merged == expected)
    }
}
