import CoreMetrics
import Histogram
import Testing

@testable import Admin
@testable import Throughput

@Suite("The metrics registry")
struct MetricsRegistryTests {
    private func registry(_ definitions: MetricDefinition...) -> MetricsRegistry {
        MetricsRegistry(definitions: definitions)
    }

    @Test("nothing reported, nothing written")
    func empty() {
        #expect(registry().exposition == "")
        #expect(registry(MetricDefinition("a_total", .counter, "A.")).exposition == "")
    }

    @Test(
        "families in the order of their definitions, with help and type, their series in the order in which they came")
    func families() {
        let registry = registry(
            MetricDefinition("b_bytes", .gauge, "Second\nline, back\\slash, \"quote\"."),
            MetricDefinition("a_total", .counter, "A."))
        Counter(label: "a_total", dimensions: [("z", "2"), ("a", "1")], factory: registry).increment(by: 3)
        Counter(label: "a_total", factory: registry).increment()
        Meter(label: "b_bytes", factory: registry).set(1.5)
        #expect(
            registry.exposition == """
                # HELP b_bytes Second\\nline, back\\\\slash, "quote".
                # TYPE b_bytes gauge
                b_bytes 1.5
                # HELP a_total A.
                # TYPE a_total counter
                a_total{a="1",z="2"} 3
                a_total 1

                """)
    }

    @Test("one name and one set of labels, in whatever order: one series")
    func sameSeries() {
        let registry = registry(MetricDefinition("a_total", .counter, "A."))
        Counter(label: "a_total", dimensions: [("x", "1"), ("y", "2")], factory: registry).increment(by: 1)
        FloatingPointCounter(label: "a_total", dimensions: [("y", "2"), ("x", "1")], factory: registry)
            .increment(by: 0.5)
        #expect(registry.exposition.hasSuffix("\na_total{x=\"1\",y=\"2\"} 1.5\n"))
    }

    @Test("counters never go back")
    func counters() {
        let registry = registry(MetricDefinition("a_total", .counter, "A."))
        let counter = Counter(label: "a_total", factory: registry)
        counter.increment(by: 5)
        counter.increment(by: -2)
        FloatingPointCounter(label: "a_total", factory: registry).increment(by: Double.nan)
        #expect(registry.exposition.contains("\na_total 5\n"))
        // Whole numbers beyond any count that a worker reaches in its life.
        counter.increment(by: 9_007_199_254_740_000)
        #expect(registry.exposition.contains("\na_total 9007199254740005\n"))
    }

    @Test("what is destroyed is gone, and comes again from the beginning")
    func destroy() {
        let registry = registry(MetricDefinition("lag", .gauge, "Lag."))
        let meters = (0..<5).map { Meter(label: "lag", dimensions: [("p", "\($0)")], factory: registry) }
        for meter in meters { meter.set(7) }
        meters[1].destroy()
        meters[3].destroy()
        meters[3].destroy()
        let lines = registry.exposition.split(separator: "\n").dropFirst(2)
        #expect(Array(lines) == ["lag{p=\"0\"} 7", "lag{p=\"2\"} 7", "lag{p=\"4\"} 7"])
        let again = Meter(label: "lag", dimensions: [("p", "3")], factory: registry)
        // The old one's end is not the new one's.
        meters[3].destroy()
        meters[3].set(9)
        again.increment(by: 2)
        #expect(registry.exposition.hasSuffix("lag{p=\"4\"} 7\nlag{p=\"3\"} 2\n"))
        meters[4].set(8)
        #expect(registry.exposition.contains("lag{p=\"4\"} 8\n"))
    }

    @Test("histograms: buckets that add up, infinity, sum and count; a bound belongs to its bucket")
    func histogram() {
        let registry = registry(MetricDefinition("t_seconds", .histogram(bounds: [0.001, 0.5, 2]), "T."))
        let timer = Timer(label: "t_seconds", dimensions: [("le", "mine"), ("x", "y")], factory: registry)
        for milliseconds in [1, 2, 500, 501, 2000, 60_000] { timer.recordMilliseconds(milliseconds) }
        #expect(
            registry.exposition.split(separator: "\n").dropFirst() == [
                "# TYPE t_seconds histogram",
                "t_seconds_bucket{x=\"y\",le=\"0.001\"} 1",
                "t_seconds_bucket{x=\"y\",le=\"0.5\"} 3",
                "t_seconds_bucket{x=\"y\",le=\"2\"} 5",
                "t_seconds_bucket{x=\"y\",le=\"+Inf\"} 6",
                "t_seconds_sum{x=\"y\"} 63.004",
                "t_seconds_count{x=\"y\"} 6",
            ])
    }

    @Test("a whole HDR histogram at once comes to what its values would have come to")
    func bulk() throws {
        let bounds = [0.001, 0.01, 0.1, 1, 10]
        var values = SplitMix(seed: 7)
        var many = Histogram<UInt32>(highestTrackableValue: 32_000_000_000_000, numberOfSignificantValueDigits: .two)
        var counts = Array(repeating: 0, count: bounds.count + 1)
        var sum = 0.0
        for _ in 0..<20_000 {
            let microseconds = values.next() % (values.next() % 20_000_000 + 1)
            // Not so near to a bound that the bucket there reaches over it.
            let seconds = Double(microseconds) / 1e6
            guard bounds.allSatisfy({ abs(seconds - $0) > $0 / 64 }) else { continue }
            many.record(microseconds)
            counts[bounds.firstIndex { seconds <= $0 } ?? bounds.count] += 1
            sum += seconds
        }
        let registry = registry(MetricDefinition("t_seconds", .histogram(bounds: bounds), "T."))
        let series = registry.histogram("t_seconds")
        series.add(many, unit: 1e-6)
        series.add(LaneDurations.none, unit: 1e-6)
        var written: [String: Double] = [:]
        for line in registry.exposition.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            written[String(parts[0])] = Double(parts[1])
        }
        var total = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < bounds.count ? MetricText.number(bounds[index]) : "+Inf"
            #expect(written["t_seconds_bucket{le=\"\(bound)\"}"] == Double(total))
        }
        #expect(written["t_seconds_count"] == Double(total))
        #expect(abs(try #require(written["t_seconds_sum"]) / sum - 1) < 0.01)
    }

    @Test("what libraries report: under names that fit, described as theirs")
    func undefined() {
        let registry = registry()
        Counter(label: "http.requests-done", dimensions: [("2nd", "a\"b\\c\nd\r"), ("__x", "é")], factory: registry)
            .increment()
        Timer(label: "7 zwerge", factory: registry).recordNanoseconds(1_500)
        Gauge(label: "größe", factory: registry).record(-0.25)
        let text = registry.exposition
        #expect(text.contains("# TYPE http_requests_done_total counter\n"))
        #expect(text.contains("\nhttp_requests_done_total{_2nd=\"a\\\"b\\\\c\\nd\r\",label__x=\"é\"} 1\n"))
        #expect(
            text.contains(
                "# HELP http_requests_done_total A series that a library of the process reports as http.requests-done.")
        )
        #expect(text.contains("\n_7_zwerge_seconds_bucket{le=\"0.0001\"} 1\n"))
        #expect(text.contains("\n_7_zwerge_seconds_sum 1.5e-06\n"))
        #expect(text.contains("\ngr____e -0.25\n"))
    }

    @Test("a name that has another kind: nobody sees it, nothing breaks")
    func anotherKind() {
        let registry = registry(MetricDefinition("a_total", .counter, "A."))
        Counter(label: "a_total", factory: registry).increment()
        Meter(label: "a_total", factory: registry).set(5)
        Meter(label: "a_total", dimensions: [("x", "1")], factory: registry).set(5)
        Timer(label: "a_total", factory: registry).recordSeconds(5)
        #expect(registry.exposition.hasSuffix("a_total counter\na_total 1\n"))
    }

    @Test("libraries that report without end cost no more than the limit")
    func limit() {
        let registry = registry(MetricDefinition("a_total", .counter, "A."))
        for index in 0..<MetricsRegistry.limit {
            Counter(label: "user_total", dimensions: [("id", "\(index)")], factory: registry).increment()
        }
        Counter(label: "user_total", dimensions: [("id", "late")], factory: registry).increment()
        Counter(label: "other_total", factory: registry).increment()
        Counter(label: "a_total", factory: registry).increment()
        #expect(!registry.exposition.contains("late"))
        #expect(!registry.exposition.contains("other"))
        #expect(registry.exposition.contains("\na_total 1\n"))
        Counter(label: "user_total", dimensions: [("id", "0")], factory: registry).destroy()
        Counter(label: "user_total", dimensions: [("id", "late")], factory: registry).increment(by: 4)
        #expect(registry.exposition.contains("\nuser_total{id=\"late\"} 4\n"))
    }

    @Test(
        "numbers as the format has them",
        arguments: [
            (0.0, "0"), (-0.0, "0"), (12, "12"), (0.1, "0.1"), (1e-5, "1e-05"), (1e300, "1e+300"), (-.infinity, "-Inf"),
            (.infinity, "+Inf"), (.nan, "NaN"), (9_007_199_254_740_991, "9007199254740991"),
        ])
    func numbers(value: Double, text: String) {
        #expect(MetricText.number(value) == text)
    }

    @Test("many threads at once lose nothing")
    func concurrent() async {
        let registry = registry(MetricDefinition("a_total", .counter, "A."))
        await withTaskGroup(of: Void.self) { tasks in
            for index in 0..<8 {
                tasks.addTask {
                    for _ in 0..<500 {
                        Counter(label: "a_total", factory: registry).increment()
                        let meter = Meter(label: "m", dimensions: [("i", "\(index)")], factory: registry)
                        meter.set(1)
                        _ = registry.exposition
                        meter.destroy()
                    }
                }
            }
        }
        #expect(registry.exposition.hasSuffix("\na_total 4000\n"))
    }
}

private enum LaneDurations {
    static let none = Histogram<UInt32>(highestTrackableValue: 1000, numberOfSignificantValueDigits: .two)
}

/// Numbers that are the same in every run.
private struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
