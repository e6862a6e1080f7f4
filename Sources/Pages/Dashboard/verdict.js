// The first line of the page, as the worker says it; only that it does not answer, it cannot say itself.
import { activities } from "./activities.js";
import { clock, duration } from "./format.js";

export const tableRate = (line) => (line.answers + line.votes) / Math.max(line.seconds, 0.001);

/** Means over the lines, by their lengths. */
export function meanShares(lines, of = (line) => line.timeShares) {
  const sums = Object.fromEntries(activities.map(([name]) => [name, 0]));
  let seconds = 0;
  for (const line of lines) {
    const shares = of(line);
    if (!shares) continue;
    seconds += line.seconds;
    for (const name in sums) sums[name] += (shares[name] ?? 0) * line.seconds;
  }
  for (const name in sums) sums[name] = seconds > 0 ? sums[name] / seconds : 0;
  return sums;
}

/** The verdict's kind; of lines of versions without one, the nearest to their state. */
export const kindOf = (line) => line.verdict?.kind ?? (line.state === "working" ? "keeping-up" : line.state);

/**
 * @param line the newest
 * @param silent for how many seconds nothing has come from the worker; 0 while its lines come
 * @returns tone (a word for the colour), title (the announcement's text), line (one sentence), more (the sentences
 * after it)
 */
export function verdict(line, silent) {
  const said = line.verdict ?? { kind: line.state, tone: "fair", title: line.state, line: line.state, more: "" };
  if (!silent) return said;
  return {
    kind: "silent", tone: "bad", title: "No answer from the worker", runbook: "rejoinderdown",
    line: `No answer from the worker for ${duration(silent)}`,
    more: `Below is what it said last, at ${clock(line.t)}: ${said.line}.`,
  };
}
