// One small chart: lines, stacked areas or bars over time, drawn as SVG from throughput lines.
import { linear, logarithmic, timeTicks } from "./scale.js";
import { clock, clockMinute, none } from "./format.js";

const NAMESPACE = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  node.append(...children);
  return node;
}

export function shape(name, attributes = {}) {
  const node = document.createElementNS(NAMESPACE, name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  return node;
}

/** The moment that is pointed at, the same in all charts. */
export const cursor = {
  time: null,
  watchers: new Set(),
  set(time) {
    if (time === this.time) return;
    this.time = time;
    for (const watcher of this.watchers) watcher();
  },
};

/** Whether the worker was away between two lines: the gap is longer than the span that the later line covers. */
export const isGap = (before, line) => line.t - before.t > line.seconds * 1000 + Math.max(2000, line.seconds * 500);

const EDGE = { left: 52, right: 10, top: 8, bottom: 22 };

export class Chart {
  /**
   * @param host where it goes
   * @param options title; format(value) for the readout; axis(value) for the axis; kind: lines, area, stack or bars;
   *   scale: linear, log or share; height in pixels; series: [{ name, label, value(line) }], a value of null is a gap
   */
  constructor(host, options) {
    this.options = { kind: "lines", scale: "linear", height: 150, axis: options.format, ...options };
    this.lines = [];
    this.window = null;
    this.values = this.options.series.map(({ name, label }) => {
      const value = element("b");
      return { value, item: element("span", { class: `key c-${name}` }, element("i"), `${label} `, value) };
    });
    this.when = element("time");
    this.said = element("p", { class: "hidden", "aria-live": "polite" });
    this.plot = element("div", { class: "plot", tabindex: "0", role: "group" });
    this.svg = shape("svg", { "aria-hidden": "true", focusable: "false" });
    this.under = shape("g");
    this.over = shape("g");
    this.svg.append(this.under, this.over);
    this.plot.append(this.svg);
    this.table = element("table");
    this.details = element("details", { class: "as-table" },
      element("summary", {}, "As a table", element("span", { class: "hidden" }, `: ${options.title}`)),
      element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${options.title}, as a table` },
        this.table));
    host.append(element("figure", { class: `chart ${this.options.kind}${options.quiet ? " quiet-keys" : ""}` },
      element("figcaption", {}, element("span", { class: "title" }, options.title), this.when,
        element("span", { class: "keys" }, ...this.values.map(({ item }) => item))),
      this.plot, this.said, this.details));
    this.listen();
  }

  listen() {
    new ResizeObserver(() => this.redraw()).observe(this.plot);
    cursor.watchers.add(() => this.showCursor());
    this.plot.addEventListener("pointermove", (event) => cursor.set(this.timeAt(event)));
    this.plot.addEventListener("pointerdown", (event) => cursor.set(this.timeAt(event)));
    this.plot.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") cursor.set(null);
    });
    this.plot.addEventListener("blur", () => cursor.set(null));
    this.plot.addEventListener("keydown", (event) => this.step(event));
    this.details.addEventListener("toggle", () => this.fillTable());
  }

  timeAt(event) {
    if (!this.x) return null;
    const box = this.svg.getBoundingClientRect();
    return this.x.invert(event.clientX - box.left);
  }

  /** Arrow keys go from line to line, with shift ten at a time. */
  step(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (event.key === "Escape") return cursor.set(null);
    if (!(event.key in moves) || !this.shown.length) return;
    event.preventDefault();
    const at = cursor.time === null ? this.shown.length : this.shown.indexOf(this.nearest(cursor.time));
    const to = at + moves[event.key] * (event.shiftKey ? 10 : 1);
    const line = this.shown[Math.min(this.shown.length - 1, Math.max(0, to))];
    cursor.set(line.t);
    this.said.textContent = `${clock(line.t)}: `
      + this.options.series.map(({ label, value }) => `${label} ${this.options.format(value(line))}`).join(", ");
  }

  nearest(time) {
    let best = null;
    for (const line of this.shown) {
      // A line tells of the time before it.
      const distance = Math.abs(line.t - line.seconds * 500 - time);
      if (!best || distance < best.distance) best = { line, distance };
    }
    return best && best.distance <= best.line.seconds * 1500 ? best.line : null;
  }

  /**
   * @param lines oldest first
   * @param window start and end of the span shown, in milliseconds; marks: [{ t, kind, label }]
   */
  draw(lines, window) {
    this.lines = lines;
    this.window = window;
    this.redraw();
    this.fillTable();
  }

  redraw() {
    const width = this.plot.clientWidth;
    const { height, series, scale, kind, title } = this.options;
    this.shown = this.window ? this.lines.filter((line) => line.t > this.window.start) : [];
    if (!width || !this.window) return;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", height);
    const inner = { left: EDGE.left, right: width - EDGE.right, top: EDGE.top, bottom: height - EDGE.bottom };
    const span = this.window.end - this.window.start;
    this.x = (time) => inner.left + ((time - this.window.start) / span) * (inner.right - inner.left);
    this.x.invert = (at) => this.window.start + ((at - inner.left) / (inner.right - inner.left)) * span;
    const tops = this.shown.flatMap((line) => kind === "stack" || kind === "bars"
      ? [series.reduce((sum, one) => sum + (one.value(line) ?? 0), 0)]
      : series.map((one) => one.value(line)).filter((value) => value !== null));
    const make = scale === "log" ? logarithmic : linear;
    this.y = make(scale === "share" ? [1] : tops, inner, this.options);
    this.inner = inner;
    const parts = [...this.axes(), ...this.absences()];
    parts.push(...(kind === "stack" ? this.areas() : kind === "bars" ? this.bars() : this.curves()));
    parts.push(...this.marks());
    this.under.replaceChildren(...parts);
    this.plot.setAttribute("aria-label", `${title}, chart of ${this.shown.length} points. ${this.summary()} `
      + "Arrow keys read the points.");
    this.showCursor();
  }

  summary() {
    const last = this.shown.at(-1);
    if (!last) return "Nothing to show yet.";
    const { series, format } = this.options;
    return "Latest: " + series.map((one) => `${one.label} ${format(one.value(last))}`).join(", ") + ".";
  }

  axes() {
    const { inner } = this;
    const parts = [];
    for (const { value, at } of this.y.ticks) {
      parts.push(shape("line", { class: "grid-line", x1: inner.left, x2: inner.right, y1: at, y2: at }));
      parts.push(this.text(inner.left - 8, at + 4, this.options.axis(value), "end"));
    }
    for (const time of timeTicks(this.window, inner.right - inner.left)) {
      const at = this.x(time);
      const isLast = at > inner.right - 18;
      const text = this.window.end - this.window.start > 300_000 ? clockMinute(time) : clock(time);
      parts.push(shape("line", { class: "tick", x1: at, x2: at, y1: inner.bottom, y2: inner.bottom + 4 }));
      parts.push(this.text(isLast ? inner.right : at, inner.bottom + 17, text, isLast ? "end" : "middle"));
    }
    return parts;
  }

  text(x, y, content, anchor) {
    const node = shape("text", { x, y, "text-anchor": anchor });
    node.textContent = content;
    return node;
  }

  /** Where no worker was: between two lines, and behind the last. */
  absences() {
    const { inner, shown } = this;
    const gaps = [];
    for (let i = 1; i < shown.length; i++) {
      if (isGap(shown[i - 1], shown[i])) gaps.push([shown[i - 1].t, shown[i].t - shown[i].seconds * 1000]);
    }
    const last = shown.at(-1);
    if (last && this.window.end - last.t > last.seconds * 1000 + 5000) gaps.push([last.t, this.window.end]);
    return gaps.map(([from, to]) => shape("rect", {
      class: "away", x: this.x(from), y: inner.top, width: Math.max(1, this.x(to) - this.x(from)),
      height: inner.bottom - inner.top,
    }));
  }

  /** Pieces between gaps. */
  pieces(value) {
    const pieces = [];
    let piece = null;
    let before = null;
    for (const line of this.shown) {
      const isKnown = value(line) !== null;
      if (!isKnown || !piece || isGap(before, line)) piece = null;
      if (isKnown) {
        if (!piece) pieces.push((piece = []));
        piece.push(line);
      }
      before = line;
    }
    return pieces;
  }

  curves() {
    const parts = [];
    for (const { name, value } of this.options.series) {
      for (const piece of this.pieces(value)) {
        const points = piece.map((line) => `${this.x(line.t).toFixed(1)},${this.y(value(line)).toFixed(1)}`);
        if (points.length === 1) {
          const [cx, cy] = points[0].split(",");
          parts.push(shape("circle", { class: `point c-${name}`, cx, cy, r: 1.5 }));
          continue;
        }
        if (this.options.kind === "area") {
          const [from, to] = [this.x(piece[0].t), this.x(piece.at(-1).t)];
          const d = `M${from},${this.inner.bottom}L${points.join("L")}L${to},${this.inner.bottom}Z`;
          parts.push(shape("path", { class: `fill c-${name}`, d }));
        }
        parts.push(shape("path", { class: `curve c-${name}`, d: `M${points.join("L")}` }));
      }
    }
    return parts;
  }

  areas() {
    const { series } = this.options;
    const parts = [];
    for (const piece of this.pieces((line) => series[0].value(line))) {
      // A line tells of the time before it: a piece begins where its first line's interval does.
      const times = [piece[0].t - piece[0].seconds * 1000, ...piece.map((line) => line.t)];
      const lines = [piece[0], ...piece];
      let below = lines.map(() => 0);
      for (const { name, value } of series) {
        const above = lines.map((line, i) => below[i] + (value(line) ?? 0));
        if (above.some((top, i) => top > below[i])) {
          const at = (level, i) => `${Math.max(this.inner.left, this.x(times[i])).toFixed(1)},${this.y(level).toFixed(1)}`;
          const forth = above.map(at);
          const back = below.map(at).reverse();
          parts.push(shape("path", { class: `area c-${name}`, d: `M${forth.join("L")}L${back.join("L")}Z` }));
        }
        below = above;
      }
    }
    return parts;
  }

  bars() {
    const parts = [];
    for (const line of this.shown) {
      const from = Math.max(this.inner.left, this.x(line.t - line.seconds * 1000));
      let below = 0;
      for (const { name, value } of this.options.series) {
        const much = value(line) ?? 0;
        if (much <= 0) continue;
        const [low, high] = [this.y(below), this.y(below + much)];
        const width = Math.max(1.5, this.x(line.t) - from - 0.5);
        parts.push(shape("rect", { class: `area c-${name}`, x: from, y: high, width, height: Math.max(1, low - high) }));
        below += much;
      }
    }
    return parts;
  }

  marks() {
    const { inner } = this;
    return this.window.marks.filter(({ t }) => t > this.window.start).map(({ t, kind }) => shape("line", {
      class: `mark ${kind}`, x1: this.x(t), x2: this.x(t), y1: inner.top, y2: inner.bottom,
    }));
  }

  showCursor() {
    if (!this.window || !this.y) return;
    const { series, format, kind } = this.options;
    const line = cursor.time === null ? this.shown.at(-1) : this.nearest(cursor.time);
    series.forEach(({ value }, i) => (this.values[i].value.textContent = line ? format(value(line)) : none));
    const parts = [];
    if (cursor.time === null) {
      this.when.textContent = "";
    } else {
      const marks = this.window.marks.filter(({ t }) => line && t <= line.t && t > line.t - line.seconds * 1000);
      this.when.textContent = [clock(line ? line.t : cursor.time), ...marks.map(({ label }) => label)].join(", ");
      const at = this.x(line ? line.t : cursor.time);
      if (at >= this.inner.left && at <= this.inner.right) {
        parts.push(shape("line", { class: "cursor", x1: at, x2: at, y1: this.inner.top, y2: this.inner.bottom }));
        if (line && (kind === "lines" || kind === "area")) {
          for (const { name, value } of series) {
            if (value(line) === null) continue;
            parts.push(shape("circle", { class: `dot c-${name}`, cx: at, cy: this.y(value(line)), r: 3 }));
          }
        }
      }
    }
    this.over.replaceChildren(...parts);
  }

  /** At most sixty rows, and only while the table is open. */
  fillTable() {
    if (!this.details.open) return;
    const { title, series, format } = this.options;
    const every = Math.max(1, Math.ceil(this.shown.length / 60));
    const rows = this.shown.filter((_, i) => (this.shown.length - 1 - i) % every === 0).reverse();
    this.table.replaceChildren(
      element("caption", {}, every > 1 ? `${title}, every ${every}th point` : title),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Time"),
        ...series.map(({ label }) => element("th", { scope: "col" }, label)))),
      element("tbody", {}, ...rows.map((line) => element("tr", {}, element("th", { scope: "row" }, clock(line.t)),
        ...series.map(({ value }) => element("td", {}, format(value(line))))))));
  }
}
