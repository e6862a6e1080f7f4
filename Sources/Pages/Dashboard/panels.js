// The figures beside the charts, in words and tables. Records' own text only ever becomes text.
import { element, shape } from "./chart.js";
import { activities } from "./activities.js";
import { meanShares, tableRate } from "./verdict.js";
import * as format from "./format.js";

const byId = (id) => document.getElementById(id);

/** Changes a text only where it differs, so that a screen reader's place and a selection stay. */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A table whose rows are reused. rows: arrays of text or nodes, one for each column, the first a heading. */
function fill(table, columns, rows) {
  if (!table.tHead) {
    table.append(element("thead", {}, element("tr", {}, ...columns.map((label) => element("th", { scope: "col" }, label)))),
      element("tbody"));
  }
  columns.forEach((label, c) => say(table.tHead.rows[0].cells[c], label));
  const body = table.tBodies[0];
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, r) => {
    const row = body.rows[r] ?? body.insertRow();
    cells.forEach((cell, c) => {
      let slot = row.cells[c];
      if (!slot) row.append((slot = element(c ? "td" : "th", c ? {} : { scope: "row" })));
      slot.dataset.label = columns[c];
      if (cell instanceof Node) {
        if (slot.firstChild !== cell) slot.replaceChildren(cell);
      } else {
        say(slot, cell);
      }
    });
  });
}

const tiles = [
  ["in", "In", (l) => format.rate(l.recordsInPerSecond), "records/s", (l) => format.bytesRate(l.bytesInPerSecond)],
  ["out", "Out", (l) => format.rate(l.recordsOutPerSecond), "records/s", (l) => format.bytesRate(l.bytesOutPerSecond)],
  ["lag", "Lag", (l) => format.count(l.lag.total), "records", (l) => l.lag.largest
    ? `most in ${l.lag.largest.topic} [${l.lag.largest.partition}]` : l.lag.total === 0 ? "nothing waits" : "not known yet"],
  ["latency", "Latency p99", (l) => format.milliseconds(l.latencyMs?.p99), "", () => "poll to acknowledged"],
  ["event", "Event latency p99", (l) => format.milliseconds(l.eventLatencyMs?.p99), "", () => "from the event’s time"],
  ["dead", "Dead letters", (l, hour) => format.count(hour.deadLetters), "", (l, hour) => hour.label],
];

export function showTiles(line, calm, hour) {
  const list = byId("tiles");
  if (!list.children.length) {
    for (const [name, label] of tiles) {
      list.append(element("div", { id: `tile-${name}` }, element("dt", {}, label),
        element("dd", {}, element("span", { class: "figure" }), " ", element("span", { class: "unit" })),
        element("dd", { class: "under" })));
    }
  }
  tiles.forEach(([, , figure, unit, under], i) => {
    const [, value, small] = list.children[i].children;
    // Seconds without a commit have no latency: the last that is known stands.
    say(value.firstChild, figure(i === 3 || i === 4 ? calm : line, hour));
    say(value.lastChild, unit);
    say(small, under(line, hour));
  });
  byId("tile-dead").dataset.alarm = hour.deadLetters > 0;
}

/** Links the runbook's section for the verdict. */
export function showRunbook(anchor) {
  const host = byId("verdict-runbook");
  host.hidden = !anchor;
  if (anchor) host.firstElementChild.href = `runbook#${anchor}`;
}

export function showWho(line) {
  say(byId("version"), line.version);
  say(byId("group"), line.group);
  say(byId("worker"), line.worker);
  say(byId("uptime"), format.duration(line.uptimeSeconds));
}

/** A bar of shares, for sighted people; the numbers stand beside it or in its label. */
function shareBar(shares, label) {
  const bar = shape("svg", { class: "share-bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", role: "img",
    "aria-label": label });
  let at = 0;
  for (const [name] of activities) {
    const width = Math.max(0, shares[name] ?? 0) * 100;
    if (width > 0) bar.append(shape("rect", { class: `area c-${name}`, x: at, y: 0, width, height: 8 }));
    at += width;
  }
  return bar;
}

export function showShares(recent) {
  const shares = meanShares(recent);
  const rows = activities.map(([name, label]) => {
    const key = element("span", { class: `key c-${name}` }, element("i"), label);
    return [key, format.share(shares[name])];
  });
  fill(byId("shares"), ["Activity", "Share"], rows);
}

const words = (shares) => activities.filter(([name]) => shares[name] >= 0.005)
  .map(([name, label]) => `${format.share(shares[name])} ${label}`).join(", ");

/** The wait that an open transaction causes, as lanes name it. */
const INPUT = "input from the broker";

/** Links to the runbook by lane: a link that is made anew would lose the focus. */
const waitLinks = new Map();

function waitOf(lane, isHeldBack) {
  // Every commit is waited for a moment.
  if (!lane.waitingFor || !(lane.waitingSeconds >= 1)) return "nothing";
  const cell = waitLinks.get(lane.lane) ?? element("span", {}, element("a", { class: "quiet" }), "");
  waitLinks.set(lane.lane, cell);
  const [link, time] = cell.childNodes;
  const anchor = isHeldBack && lane.waitingFor === INPUT ? "open-transactions" : "rejoinderlanewaiting";
  link.href = `runbook#${anchor}`;
  say(link, lane.waitingFor);
  say(time, ` (${format.duration(lane.waitingSeconds)})`);
  return cell;
}

export function showLanes(line, recent) {
  const rows = line.lanes.map((lane) => {
    const shares = meanShares(recent, (one) => one.lanes.find((other) => other.lane === lane.lane)?.timeShares);
    const waits = waitOf(lane, line.lag.heldBack?.length > 0);
    const sources = lane.sources;
    const [consumed, published] = sources
      ? [lane.sourceRecords, lane.sourceRecordsPublished] : [lane.recordsIn, lane.recordsOut];
    const partitions = sources
      ? sources.map((source) => `${source.topic} ${format.ranges(source.partitions)}`).join("; ") || "none"
      : format.ranges(lane.partitions);
    return [
      `${sources ? "Source lane" : "Lane"} ${lane.lane}`, partitions, `${format.rate(consumed / line.seconds)}/s`,
      `${format.rate(published / line.seconds)}/s`, format.count(lane.lag), shareBar(shares, words(shares)), waits,
    ];
  });
  fill(byId("lanes"), ["Lane", "Partitions", "In", "Out", "Lag", "Time, last 10 seconds", "Waits for"], rows);
}

export function showLatencies(line) {
  const rows = [["Poll to acknowledged", line.latencyMs], ["Event’s time to acknowledged", line.eventLatencyMs],
    ["Commit", line.commitLatencyMs]];
  fill(byId("latencies"), ["", "p50", "p90", "p99", "Max", "Count"], rows.map(([label, of]) => [
    label, ...["p50", "p90", "p99", "max"].map((name) => format.milliseconds(of?.[name])), format.count(of?.count ?? 0),
  ]));
}

const FEW = 8;
let showsAll = false;
let order = [];
let orderedAt = -Infinity;

/** Largest first. The order is looked at anew every ten seconds, or rows would dance. */
export function showPartitions(line, history) {
  const host = byId("partitions");
  const name = (part) => `${part.topic} [${part.partition}]`;
  const parts = new Map(line.lag.partitions.map((part) => [name(part), part]));
  if (line.t - orderedAt > 10_000 || order.length !== parts.size || order.some((key) => !parts.has(key))) {
    order = [...parts.values()].sort((a, b) => b.records - a.records).map(name);
    orderedAt = line.t;
  }
  if (!host.children.length) {
    const all = element("button", { type: "button", "aria-controls": "partition-table" });
    all.addEventListener("click", () => {
      showsAll = !showsAll;
      host.lastRender?.();
    });
    host.append(element("p", { class: "quiet" }), element("div", { class: "scroll", id: "partition-scroll" },
      element("table", { class: "partitions", id: "partition-table" },
        element("caption", {}, "Lag by partition, largest first"))), all);
  }
  host.lastRender = () => showPartitions(line, history);
  const behind = order.filter((key) => parts.get(key).records > 0);
  const shown = showsAll ? order : behind.slice(0, FEW);
  const [summary, scroll, button] = host.children;
  say(summary, !parts.size ? "No partition is owned." : behind.length
    ? `${behind.length} of ${format.plural(parts.size, "partition")} have records waiting.`
    : `Nothing waits in any of ${format.plural(parts.size, "partition")}.`);
  scroll.hidden = !shown.length;
  scroll.classList.toggle("long", showsAll && parts.size > FEW);
  if (showsAll && parts.size > FEW) scroll.setAttribute("tabindex", "0");
  else scroll.removeAttribute("tabindex");
  button.hidden = parts.size === 0 || (!showsAll && behind.length === parts.size && parts.size <= FEW);
  say(button, showsAll ? "Show only the largest" : `Show all ${format.plural(parts.size, "partition")}`);
  button.setAttribute("aria-expanded", String(showsAll));
  const most = Math.max(1, ...line.lag.partitions.map((part) => part.records));
  const courses = coursesOf(shown, history);
  fill(byId("partition-table"), ["Partition", "Records", "Share of the largest", "Last hour"], shown.map((key) => {
    const part = parts.get(key);
    const bar = shape("svg", { class: "bar-cell", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" });
    bar.append(shape("rect", { class: "area c-lag", x: 0, y: 0, width: (part.records / most) * 100, height: 8 }));
    return [key, format.count(part.records), bar, spark(courses.get(key))];
  }));
}

function coursesOf(keys, history) {
  const courses = new Map(keys.map((key) => [key, []]));
  for (const line of history) {
    for (const part of line.lag.partitions) courses.get(`${part.topic} [${part.partition}]`)?.push([line.t, part.records]);
  }
  return courses;
}

/** The course of one figure over the hour, without axes. */
function spark(points) {
  const svg = shape("svg", { class: "spark", viewBox: "0 0 100 20", preserveAspectRatio: "none", "aria-hidden": "true" });
  if (points.length < 2) return svg;
  const [from, to] = [points.at(-1)[0] - 3_600_000, points.at(-1)[0]];
  const most = points.reduce((most, [, value]) => Math.max(most, value), 1);
  const at = ([t, value]) => `${(((t - from) / (to - from)) * 100).toFixed(2)},${(19 - (value / most) * 18).toFixed(2)}`;
  svg.append(shape("path", { class: "curve c-lag", d: "M" + points.map(at).join("L") }));
  return svg;
}

export function showDeadLetters(line, hour) {
  fill(byId("dead-codes"), ["Code", "Now", hour.label], Object.keys(line.deadLetters).sort().map((code) => [
    element("span", { class: `key c-dead-${code}` }, element("i"), code), format.count(line.deadLetters[code]),
    format.count(hour.byCode[code] ?? 0),
  ]));
}

/** notes: the latest last. Their messages come from records: text, and nothing but. */
export function showCauses(notes) {
  if (!notes.length) return;
  byId("causes").replaceChildren(...notes.slice().reverse().map((note) => element("li", {},
    element("p", {}, element("time", { datetime: new Date(note.time).toISOString() }, format.clock(note.time)), " ",
      element("b", {}, note.code), " ",
      element("a", { class: "quiet", href: `/dead-letters/${encodeURIComponent(note.topic)}/${note.partition}/${note.offset}` },
        `${note.topic} [${note.partition}] offset ${note.offset}`)),
    element("p", { class: "cause", dir: "auto" }, note.message))));
}

/** Aborts, rebalances, restores and the like, the latest first. */
export function showHappenings(events) {
  if (!events.length) return;
  byId("happenings").replaceChildren(...events.slice().reverse().map((event) => element("li", {},
    element("p", {}, element("time", { datetime: new Date(event.time).toISOString() }, format.clock(event.time)), " ",
      element("b", {}, event.kind), " ", element("span", { class: "quiet" }, `lane ${event.lane}`)),
    event.detail ? element("p", { class: "cause", dir: "auto" }, event.detail) : "")));
}

export function showCommits(commits) {
  fill(byId("commits"), ["Through at", "Lane", "Took", "Events", "Bytes"], commits.slice(-10).reverse().map((commit) => [
    format.clock(commit.time), `${commit.lane}`, format.milliseconds(commit.milliseconds), format.count(commit.records),
    format.bytes(commit.bytes),
  ]));
}

export function showRestore(line) {
  const host = byId("restore");
  const parts = line.store.restoring;
  if (!host.children.length) {
    host.append(element("p", { class: "quiet" }), element("table", { id: "restores" },
      element("caption", {}, "Partitions whose answers and votes are being restored")));
  }
  const [summary, table] = host.children;
  const index = line.lanes.find((lane) => lane.sourceIndex)?.sourceIndex;
  say(summary, parts.length ? "" : index
    ? `The index of the sources is read: ${format.count(index.done)}${index.of ? ` of ${format.count(index.of)}` : ""}.`
    : line.store.partitions
    ? `All ${format.plural(line.store.partitions, "partition")} caught up.` : "No partition is owned.");
  summary.hidden = parts.length > 0;
  table.hidden = !parts.length;
  fill(table, ["Partition", "Done", "Progress", "Left"], parts.map((part) => {
    const isKnown = part.of > 0;
    const bar = element("progress", { max: String(isKnown ? part.of : 1),
      "aria-label": `Partition ${part.partition} restored` });
    if (isKnown) bar.value = Math.min(part.done, part.of);
    const speed = part.done / Math.max(part.seconds, 0.001);
    const left = isKnown && speed > 0 ? Math.max(0, part.of - part.done) / speed : NaN;
    return [`Partition ${part.partition}`, isKnown ? `${format.count(part.done)} of ${format.count(part.of)}`
      : format.count(part.done), bar, isKnown ? format.duration(left) : "not known yet"];
  }));
}

/** facts: pairs of a label, which stays the same, and a text. */
function showFacts(list, facts) {
  if (!list.children.length) {
    list.append(...facts.map(([label]) => element("div", {}, element("dt", {}, label), element("dd"))));
  }
  facts.forEach(([, value], i) => say(list.children[i].lastChild, value));
}

export function showStore(line) {
  showFacts(byId("store"), [["Answers stored", format.count(line.store.answers)],
    ["Votes stored", format.count(line.store.votes)], ["Store size", format.bytes(line.store.bytes)],
    ["Applied now", `${format.rate(tableRate(line))}/s`]]);
}

/** Only where published records follow changes: other workers' lines have no such figures. */
export function showChanges(line, history) {
  const isShown = line.waitingQuestions !== undefined;
  byId("changes").hidden = !isShown;
  if (!isShown) return;
  const sum = (field) => history.reduce((sum, one) => sum + (one[field] ?? 0), 0);
  showFacts(byId("waiting"), [["Waiting now", format.count(line.waitingQuestions)],
    ["Oldest change", format.seconds(line.waitingQuestionsSeconds)],
    ["publish.coalesceMs", format.milliseconds(line.coalesceSeconds * 1000)],
    ["Because of answers, last hour", format.count(sum("republishedByAnswers"))],
    ["Because of votes, last hour", format.count(sum("republishedByVotes"))],
    ["Nothing to see, last hour", format.count(sum("unseenChanges"))]]);
}

/** Verdicts' kinds, the least severe first, in a word or two. */
const states = {
  "keeping-up": "keeping up", idle: "idle", behind: "behind", unknown: "lag not known", restoring: "restoring",
  "dead-letters": "dead letters", stalled: "stalled", joining: "no place in the group", stuck: "a lane does not turn",
  "topic-missing": "topic missing", unreachable: "no broker answers", away: "no worker",
};

/** The hour as a strip of verdicts. */
export function showStrip(spans, window) {
  const strip = byId("strip");
  const svg = shape("svg", { viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  const length = {};
  const x = (time) => ((time - window.start) / (window.end - window.start)) * 1000;
  for (const { from, to, state } of spans) {
    const [left, right] = [Math.max(0, x(from)), Math.min(1000, x(to))];
    if (right <= left) continue;
    svg.append(shape("rect", { class: `state s-${state}`, x: left, y: 0, width: right - left, height: 10 }));
    length[state] = (length[state] ?? 0) + (right - left) / 1000 * (window.end - window.start) / 1000;
  }
  strip.replaceChildren(svg);
  const said = Object.keys(states).filter((state) => length[state] >= 0.5);
  strip.setAttribute("aria-label", `State over the time shown: ${said.map((state) =>
    `${states[state]} ${format.duration(length[state])}`).join(", ") || "nothing known yet"}`);
  byId("strip-key").replaceChildren(...said.map((state) => element("span", { class: `key s-${state}` }, element("i"),
    `${states[state]} ${format.duration(length[state])}`)));
}
