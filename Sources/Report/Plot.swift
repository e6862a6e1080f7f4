import Pages
import Throughput

/// A plot of a report over time: lines, stacked layers or bars, with legend, description and a table of numbers.
struct Plot {
    struct Series {
        var name: String
        /// CSS class of the colour.
        var style: String
        var bins: [TimeBins.Bin?]
        /// Draws a band from the least to the largest value behind the line.
        var hasBand = false
        var isStrong = false
    }

    enum Form {
        case lines
        /// Stacked layers.
        case layers
        case bars
    }

    struct Axis {
        var bins: TimeBins
        /// Times count from a run's start, not from 1970.
        var isRelative = false

        func label(_ time: Double) -> String {
            isRelative ? FigureText.duration(time) : FigureText.time(time)
        }
    }

    var id: String
    var title: String
    /// Description for the caption and for screen readers.
    var explanation: String
    var axis: Axis
    var series: [Series]
    var form = Form.lines
    var scale = PlotScale.Kind.linear
    var text: (Double) -> String
    /// Drawn behind the series: stalls, restores, restarts, rebalances.
    var marks = PlotMarks()

    static let width = 1100.0
    static let height = 190.0
    static let left = 62.0
    static let right = 1088.0
    static let top = 14.0
    static let bottom = 166.0

    var isEmpty: Bool { series.allSatisfy { $0.bins.allSatisfy { $0 == nil } } }

    func x(_ time: Double) -> Double {
        let bins = axis.bins
        let share = (time - bins.start) / max(bins.end - bins.start, 1e-9)
        return Self.left + min(max(share, 0), 1) * (Self.right - Self.left)
    }

    func html() -> String {
        let name = Markup.line(title)
        var html = "<figure class=plot id=\"\(id)\"><figcaption><h3>\(name)</h3>"
        html += "<p class=note>\(Markup.line(explanation, limit: 600))</p>\(legend())</figcaption>"
        html += "<div class=wide>\(svg())</div>"
        html += "<details><summary>Numbers of “\(name)”</summary><div class=wide>\(table())</div></details></figure>\n"
        return html
    }

    private func legend() -> String {
        guard series.count > 1 || series.contains(where: \.hasBand) else { return "" }
        var html = "<ul class=legend>"
        for line in series {
            html +=
                "<li><i class=\"swatch "
                + "\(line.style)\(form == .lines ? "" : " full")\"></i>\(Markup.name(line.name))</li>"
        }
        return html + "</ul>"
    }

    // MARK: - The drawing

    func svg() -> String {
        let scale = fitted()
        var svg = "<svg viewBox=\"0 0 1100 190\" role=img aria-labelledby=\"\(id)-t \(id)-d\">"
        svg += "<title id=\"\(id)-t\">\(Markup.line(title))</title>"
        svg += "<desc id=\"\(id)-d\">\(Markup.line(explanation + " " + summary(), limit: 1_000))</desc>"
        svg += marks.shades(x)
        svg += grid(scale)
        svg += marks.lines(x)
        switch form {
        case .lines:
            for line in series where line.hasBand { svg += band(line, scale) }
            for line in series { svg += path(line, scale) }
        case .layers: svg += layers(scale)
        case .bars: svg += bars(scale)
        }
        svg += hovers()
        return svg + "</svg>"
    }

    private func fitted() -> PlotScale {
        var (least, largest) = (Double.infinity, 0.0)
        for line in series {
            for case let bin? in line.bins {
                largest = max(largest, line.hasBand ? bin.largest : bin.mean)
                let low = line.hasBand ? bin.least : bin.mean
                if low > 0 { least = min(least, low) }
            }
        }
        if form == .bars {
            largest =
                (0..<axis.bins.count).map { index in
                    series.reduce(0) { $0 + ($1.bins[index]?.mean ?? 0) }
                }.max() ?? 0
        }
        return PlotScale(scale, least: least.isFinite ? least : 1, largest: largest)
    }

    private func y(_ value: Double, _ scale: PlotScale) -> Double {
        Self.bottom - scale.height(value) * (Self.bottom - Self.top)
    }

    private func grid(_ scale: PlotScale) -> String {
        let (left, right, bottom) = (Self.left, Self.right, Self.bottom)
        var svg = "<g class=grid>"
        for tick in scale.ticks {
            let y = Markup.number(y(tick, scale))
            svg += "<path d=\"M\(Markup.number(left)) \(y)H\(Markup.number(right))\"/>"
            svg +=
                "<text x=\"\(Markup.number(left - 8))\" y=\"\(y)\" dy=\".35em\" "
                + "class=e>\(Markup.line(FigureText.mark(text(tick))))</text>"
        }
        let bins = axis.bins
        let span = bins.end - bins.start
        let step = PlotScale.timeStep(span)
        var time = (bins.start / step).rounded(.up) * step
        var isFirst = true
        while time <= bins.end, step > 0 {
            // A label near the right edge ends at its tick, or it would be cut off.
            let isLast = self.x(time) > Self.right - 40
            let x = Markup.number(self.x(time))
            svg += "<path d=\"M\(x) \(Markup.number(bottom))v5\"/>"
            svg +=
                "<text x=\"\(x)\" y=\"183\" "
                + "class=\(isLast ? "e" : "m")>\(tickLabel(time, step, isFirst: isFirst))</text>"
            isFirst = false
            time += step
        }
        return svg + "</g>"
    }

    private func tickLabel(_ time: Double, _ step: Double, isFirst: Bool) -> String {
        if axis.isRelative { return time == 0 ? "start" : FigureText.duration(time) }
        let whole = FigureText.time(time)
        let clock = whole.suffix(8)
        let isMidnight = clock == "00:00:00"
        if step >= 86_400 || isMidnight { return String(whole.prefix(10)) }
        let short = step < 60 ? String(clock) : String(clock.prefix(5))
        return isFirst ? short + " UTC" : short
    }

    /// Ranges of adjacent columns that have values.
    private func stretches(_ bins: [TimeBins.Bin?]) -> [Range<Int>] {
        var stretches: [Range<Int>] = []
        var start: Int?
        for index in 0...bins.count {
            if index < bins.count, bins[index] != nil {
                start = start ?? index
            } else if let begun = start {
                stretches.append(begun..<index)
                start = nil
            }
        }
        return stretches
    }

    private func point(_ index: Int, _ value: Double, _ scale: PlotScale) -> String {
        "\(Markup.number(x(axis.bins.middle(index)))) \(Markup.number(y(value, scale)))"
    }

    private func path(_ line: Series, _ scale: PlotScale) -> String {
        var path = ""
        for stretch in stretches(line.bins) {
            let points = stretch.map { point($0, line.bins[$0]?.mean ?? 0, scale) }
            // A line of zero length with round caps is drawn as a dot.
            path += "M" + points.joined(separator: "L") + (points.count == 1 ? "h0" : "")
        }
        guard !path.isEmpty else { return "" }
        return "<path class=\"line \(line.style)\(line.isStrong ? " strong" : "")\" d=\"\(path)\"/>"
    }

    private func band(_ line: Series, _ scale: PlotScale) -> String {
        var path = ""
        for stretch in stretches(line.bins) where stretch.count > 1 {
            let upper = stretch.map { point($0, line.bins[$0]?.largest ?? 0, scale) }
            let lower = stretch.reversed().map { point($0, line.bins[$0]?.least ?? 0, scale) }
            path += "M" + (upper + lower).joined(separator: "L") + "Z"
        }
        return path.isEmpty ? "" : "<path class=\"band \(line.style)\" d=\"\(path)\"/>"
    }

    private func layers(_ scale: PlotScale) -> String {
        var base = [Double](repeating: 0, count: axis.bins.count)
        var svg = ""
        for line in series {
            let top = line.bins.enumerated().map { base[$0.offset] + ($0.element?.mean ?? 0) }
            var path = ""
            for stretch in stretches(line.bins) {
                // Reaches to the columns' edges, so that a single column is visible.
                func edge(_ index: Int, _ value: Double) -> String {
                    "\(Markup.number(x(axis.bins.begin(index)))) \(Markup.number(y(value, scale)))"
                }
                let (first, last) = (stretch.lowerBound, stretch.upperBound - 1)
                let upper =
                    [edge(first, top[first])] + stretch.map { point($0, top[$0], scale) } + [edge(last + 1, top[last])]
                let lower =
                    [edge(last + 1, base[last])] + stretch.reversed().map { point($0, base[$0], scale) }
                    + [edge(first, base[first])]
                path += "M" + (upper + lower).joined(separator: "L") + "Z"
            }
            if !path.isEmpty { svg += "<path class=\"layer \(line.style)\" d=\"\(path)\"/>" }
            base = top
        }
        return svg
    }

    private func bars(_ scale: PlotScale) -> String {
        var base = [Double](repeating: 0, count: axis.bins.count)
        var svg = ""
        let width = max(1.5, (Self.right - Self.left) / Double(axis.bins.count) - 0.6)
        for line in series {
            var path = ""
            for (index, bin) in line.bins.enumerated() {
                guard let bin, bin.mean > 0 else { continue }
                let (bottom, top) = (y(base[index], scale), y(base[index] + bin.mean, scale))
                base[index] += bin.mean
                let left = x(axis.bins.middle(index)) - width / 2
                path += "M\(Markup.number(left)) \(Markup.number(bottom))V\(Markup.number(min(top, bottom - 1)))"
                path += "h\(Markup.number(width))V\(Markup.number(bottom))Z"
            }
            if !path.isEmpty { svg += "<path class=\"layer \(line.style)\" d=\"\(path)\"/>" }
        }
        return svg
    }

    // MARK: - Its numbers

    /// Columns with their numbers as SVG tooltips, which need no script.
    private func hovers() -> String {
        var svg = "<g class=h>"
        for group in groups(most: 120) {
            let (from, to) = (x(axis.bins.begin(group.lowerBound)), x(axis.bins.begin(group.upperBound)))
            var text = axis.label(axis.bins.begin(group.lowerBound))
            for line in series {
                if let value = value(line, group) { text += "\n\(line.name): \(self.text(value))" }
            }
            // Escaped line by line, since `Markup.line` replaces line ends and a tooltip shows them.
            let title = text.split(separator: "\n").map { Markup.line(String($0), limit: 100) }.joined(
                separator: "\n")
            svg += "<rect x=\"\(Markup.number(from))\" y=\"14\" width=\"\(Markup.number(to - from))\" height=\"152\">"
            svg += "<title>\(title)</title></rect>"
        }
        return svg + "</g>"
    }

    private func groups(most: Int) -> [Range<Int>] {
        let count = axis.bins.count
        let size = (count + most - 1) / most
        return stride(from: 0, to: count, by: max(size, 1)).map { $0..<min($0 + size, count) }
    }

    /// The value of several columns: the sum of bars, the mean of layers and lines.
    private func value(_ line: Series, _ group: Range<Int>) -> Double? {
        let values = line.bins[group].compactMap { $0?.mean }
        guard !values.isEmpty else { return nil }
        let sum = values.reduce(0, +)
        return form == .bars ? sum : sum / Double(values.count)
    }

    private func table() -> String {
        var html = "<table><thead><tr><th scope=col>\(axis.isRelative ? "since the start" : "from (UTC)")</th>"
        for line in series {
            html += "<th scope=col>\(Markup.name(line.name))</th>"
            if line.hasBand { html += "<th scope=col>least</th><th scope=col>largest</th>" }
        }
        html += "</tr></thead><tbody>"
        for group in groups(most: 48) {
            html += "<tr><th scope=row>\(axis.label(axis.bins.begin(group.lowerBound)))</th>"
            for line in series {
                html += "<td>\(value(line, group).map { Markup.line(text($0)) } ?? "–")</td>"
                guard line.hasBand else { continue }
                let bins = line.bins[group].compactMap { $0 }
                html += "<td>\(bins.map(\.least).min().map { Markup.line(text($0)) } ?? "–")</td>"
                html += "<td>\(bins.map(\.largest).max().map { Markup.line(text($0)) } ?? "–")</td>"
            }
            html += "</tr>"
        }
        return html + "</tbody></table>"
    }

    /// Key figures for screen readers: each series' largest and last value.
    private func summary() -> String {
        series.prefix(8).compactMap { line in
            let bins = line.bins.compactMap { $0 }
            guard let largest = bins.map(\.mean).max(), let last = bins.last else { return nil }
            return "\(line.name): at most \(text(largest)), at the end \(text(last.mean))."
        }.joined(separator: " ")
    }
}
