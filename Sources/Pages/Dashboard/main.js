// Puts the page together: lines that come in are drawn, no more often than once a frame.
import { Chart, isGap } from "./chart.js";
import { Live } from "./live.js";
import * as format from "./format.js";
import * as panels from "./panels.js";
import { activities } from "./activities.js";
import { kindOf, verdict } from "./verdict.js";

const byId = (id) => document.getElementById(id);
const MINUTES = 120_000;
/** The spans of "the last hour" while less of it is known. */
const SPANS = [2, 5, 10, 20, 40, 60].map((minutes) => minutes * 60_000);
const codes = ["invalid-json", "too-deep", "schema", "key-mismatch", "too-large", "refused", "source"];

const chart = (id, options) => new Chart(byId(id), options);
const percentiles = (field) => ["p50", "p90", "p99", "max"].map((name) => ({
  name, label: name, value: (line) => line[field]?.[name] ?? null,
}));
const latency = (field, title) => ({
  title, scale: "log", format: format.milliseconds, height: 170, series: percentiles(field),
});

const charts = [
  chart("chart-time", {
    title: "Shares of the lanes’ time", kind: "stack", scale: "share", quiet: true, height: 260, format: format.share,
    series: activities.map(([name, label]) => ({ name, label, value: (line) => line.timeShares[name] })),
  }),
  chart("chart-records", {
    title: "Records per second", kind: "lines", format: format.rate, axis: format.short, height: 170, series: [
      { name: "in", label: "in", value: (line) => line.recordsInPerSecond },
      { name: "out", label: "out", value: (line) => line.recordsOutPerSecond },
    ],
  }),
  chart("chart-bytes", {
    title: "Bytes per second", kind: "lines", format: format.bytesRate, axis: format.bytes, height: 130, least: 1000,
    series: [
      { name: "in", label: "in", value: (line) => line.bytesInPerSecond },
      { name: "out", label: "out", value: (line) => line.bytesOutPerSecond },
    ],
  }),
  chart("chart-latency", latency("latencyMs", "Poll to acknowledged")),
  chart("chart-event-latency", latency("eventLatencyMs", "Event’s time to acknowledged")),
  chart("chart-commit-latency", latency("commitLatencyMs", "Commit")),
  chart("chart-dead", {
    title: "Dead letters", kind: "bars", format: format.count, axis: format.short, height: 120, least: 4, whole: true,
    series: codes.map((code) => ({ name: `dead-${code}`, label: code, value: (line) => line.deadLetters[code] ?? 0 })),
  }),
  chart("chart-tables", {
    title: "Applied per second", kind: "lines", format: format.rate, axis: format.short, height: 120, series: [
      { name: "answers", label: "answers", value: (line) => line.answers / line.seconds },
      { name: "votes", label: "votes", value: (line) => line.votes / line.seconds },
    ],
  }),
  chart("chart-waiting", {
    title: "Questions waiting to be published again", kind: "area", format: format.count, axis: format.short, height: 120,
    least: 10, series: [{ name: "waiting", label: "", value: (line) => line.waitingQuestions ?? null }],
  }),
  chart("chart-waiting-age", {
    title: "Age of the oldest change", kind: "area", format: format.seconds, height: 120, least: 1,
    series: [{ name: "waiting", label: "", value: (line) => line.waitingQuestionsSeconds ?? null }],
  }),
  chart("chart-republished", {
    title: "Published again per second, by cause", kind: "lines", format: format.rate, axis: format.short, height: 120,
    series: [
      { name: "answers", label: "answers", value: (line) => line.republishedByAnswers / line.seconds },
      { name: "votes", label: "votes", value: (line) => line.republishedByVotes / line.seconds },
      { name: "unseen", label: "nothing to see", value: (line) => line.unseenChanges / line.seconds },
    ],
  }),
  chart("chart-memory", {
    title: "Resident memory", kind: "area", format: format.bytes, height: 120, least: 1e6,
    series: [{ name: "memory", label: "", value: (line) => line.process.residentBytes }],
  }),
  chart("chart-cpu", {
    title: "CPU, cores", kind: "area", format: (value) => (value === null ? format.none : value.toFixed(2)),
    axis: format.short, height: 120,
    series: [{ name: "cpu", label: "", value: (line) => line.process.cpuCores }],
  }),
  chart("chart-store", {
    title: "Store size", kind: "area", format: format.bytes, height: 120, least: 1e6,
    series: [{ name: "store", label: "", value: (line) => line.store.bytes }],
  }),
];

let lagTopics = [];
let lagChart = null;

/** Of a topic; null where the total is not known: of each topic some partition may be missing then. */
const waiting = (lag, topic) => (lag.total === undefined ? null : lag.topics[topic] ?? 0);

/** One area for each input topic. Lines bring their names once the worker has a partition: it is made anew then. */
function makeLagChart(line) {
  const lags = line.lag.topics;
  if (Object.keys(lags).every((topic) => lagTopics.includes(topic))) return;
  const topics = (lagTopics = [...new Set([...Object.keys(lags), ...lagTopics])]
    .sort((a, b) => (lags[b] ?? 0) - (lags[a] ?? 0)));
  if (lagChart) charts.splice(charts.indexOf(lagChart), 1);
  byId("chart-lag").replaceChildren();
  charts.push(lagChart = chart("chart-lag", {
    title: "Records waiting", kind: "stack", format: format.count, axis: format.short, height: 170, least: 10,
    series: topics.map((topic, i) => ({ name: `topic-${i}`, label: topic, value: (one) => waiting(one.lag, topic) })),
  }));
}

let range = "hour";
let isLive = false;

/** Restarts and rebalances, at the end of the interval in which they were. */
function marksIn(lines) {
  const marks = [];
  lines.forEach((line, i) => {
    const before = lines[i - 1];
    if (before && (line.uptimeSeconds < before.uptimeSeconds || line.worker !== before.worker)) {
      marks.push({ t: line.t - Math.min(line.uptimeSeconds, line.seconds) * 1000, kind: "restart", label: "restart" });
    }
    if (line.rebalances > 0) {
      marks.push({ t: line.t, kind: "rebalance", label: format.plural(line.rebalances, "rebalance") });
    }
  });
  return marks;
}

function spansOf(lines, end) {
  const spans = [];
  lines.forEach((line, i) => {
    const before = lines[i - 1];
    const from = before && !isGap(before, line) ? before.t : line.t - line.seconds * 1000;
    if (before && isGap(before, line)) spans.push({ from: before.t, to: from, state: "away" });
    const last = spans.at(-1);
    const state = kindOf(line);
    if (last && last.state === state && last.to === from) last.to = line.t;
    else spans.push({ from, to: line.t, state });
  });
  const last = lines.at(-1);
  if (last && !isLive && end - last.t > 5000) spans.push({ from: last.t, to: end, state: "away" });
  return spans;
}

function sinceWhen(hour) {
  const first = hour[0];
  const minutes = first ? (hour.at(-1).t - first.t) / 60_000 : 0;
  return minutes <= 1 ? "last minute" : minutes < 58 ? `last ${Math.ceil(minutes)} min` : "last hour";
}

/** The worker's time now: its last line's, and the time since then when no line comes. */
function now() {
  return live.latest.t + (isLive ? 0 : Math.max(0, Date.now() - live.heard));
}

function drawCharts() {
  if (!live.latest) return;
  makeLagChart(live.latest);
  const end = now();
  const lines = range === "hour" ? live.hour : live.seconds;
  const known = live.hour.length ? end - live.hour[0].t + live.hour[0].seconds * 1000 : 0;
  const span = SPANS.find((span) => span >= known) ?? SPANS.at(-1);
  const window = { start: end - (range === "hour" ? span : MINUTES), end, marks: marksIn(lines) };
  for (const one of charts) one.draw(lines, window);
  panels.showStrip(spansOf(live.hour, end), { start: end - span, end });
}

let announced = null;

function drawNow() {
  const line = live.latest;
  if (!line) return;
  const recent = live.seconds.length ? live.seconds.filter((one) => one.t > line.t - 60_000) : [line];
  const ten = recent.slice(-10);
  const byCode = {};
  for (const one of live.hour) {
    for (const code in one.deadLetters) byCode[code] = (byCode[code] ?? 0) + one.deadLetters[code];
  }
  const hour = { byCode, deadLetters: Object.values(byCode).reduce((sum, many) => sum + many, 0), label: sinceWhen(live.hour) };
  const said = verdict(line, live.silent);
  byId("verdict").dataset.kind = said.tone;
  byId("verdict-line").textContent = said.line;
  byId("verdict-more").textContent = said.more;
  panels.showRunbook(said.runbook);
  // Read out when the state changes, not with every figure.
  if (announced !== said.title) {
    byId("announce").textContent = said.line;
    announced = said.title;
    document.title = `${said.title} – Rejoinder`;
  }
  const calm = {
    latencyMs: recent.findLast((one) => one.latencyMs)?.latencyMs ?? live.hour.at(-1)?.latencyMs,
    eventLatencyMs: recent.findLast((one) => one.eventLatencyMs)?.eventLatencyMs ?? live.hour.at(-1)?.eventLatencyMs,
  };
  panels.showWho(line);
  panels.showTiles(line, calm, hour);
  panels.showShares(ten);
  panels.showLanes(line, ten);
  panels.showLatencies(live.hour.at(-1) ?? line);
  panels.showPartitions(line, live.hour);
  panels.showDeadLetters(line, hour);
  panels.showChanges(line, live.hour);
  panels.showRestore(line);
  panels.showStore(line);
}

/** However much comes at once, it is drawn once. */
function onFrame(draw) {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      draw();
    });
  };
}
const chartsSoon = onFrame(drawCharts);
const nowSoon = onFrame(drawNow);

function showConnection(state, seconds) {
  const texts = {
    live: "Live",
    lost: `Connection lost, trying again in ${seconds} s`,
    full: `Too many dashboards are open, trying again in ${seconds} s`,
  };
  isLive = state === "live";
  byId("connection").dataset.state = state;
  byId("connection-text").textContent = texts[state];
  document.body.classList.toggle("stale", !isLive);
  if (!isLive) {
    chartsSoon();
    nowSoon();
  }
}

byId("range").addEventListener("change", (event) => {
  range = event.target.value;
  chartsSoon();
});

const live = new Live({
  history() {
    chartsSoon();
    nowSoon();
  },
  line() {
    nowSoon();
    if (range === "minutes") chartsSoon();
  },
  deadLetters: panels.showCauses,
  happenings: panels.showHappenings,
  commits: panels.showCommits,
  connection: showConnection,
});
