// Numbers as people read them. Everything here gives text; nothing on this page is ever parsed as HTML.
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const two = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const dayTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayMinute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export const none = "–";
const known = (value) => typeof value === "number" && Number.isFinite(value);

/** 12,400 */
export const count = (value) => (known(value) ? whole.format(value) : none);

/** A rate: small ones with a digit behind the point. */
export const rate = (value) => (!known(value) ? none : value > 0 && value < 10 ? one.format(value) : whole.format(value));

/** For axes: 12k, 1.5M */
export function short(value) {
  if (!known(value)) return none;
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
    if (Math.abs(value) >= size) return two.format(value / size) + unit;
  }
  return two.format(value);
}

/** Decimal units: 1 MB is 1,000,000 bytes. */
export function bytes(value) {
  if (!known(value)) return none;
  for (const [unit, size] of [["TB", 1e12], ["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (Math.abs(value) >= size) return (value / size >= 100 ? whole : one).format(value / size) + " " + unit;
  }
  return whole.format(value) + " B";
}

export const bytesRate = (value) => (known(value) ? bytes(value) + "/s" : none);

/** Of milliseconds: 0.8 ms, 12 ms, 1.2 s, 3.5 min, 2 d */
export function milliseconds(value) {
  if (!known(value)) return none;
  if (value < 1) return two.format(value) + " ms";
  if (value < 10) return one.format(value) + " ms";
  if (value < 1000) return whole.format(value) + " ms";
  if (value < 60_000) return one.format(value / 1000) + " s";
  if (value < 3_600_000) return one.format(value / 60_000) + " min";
  if (value < 172_800_000) return one.format(value / 3_600_000) + " h";
  return whole.format(value / 86_400_000) + " d";
}

/** As milliseconds, of seconds. */
export const seconds = (value) => milliseconds(known(value) ? value * 1000 : value);

/** A length of time for people: 42 s, 5 min 10 s, 3 h 20 min, 4 d 2 h */
export function duration(seconds) {
  if (!known(seconds)) return none;
  const s = Math.max(0, Math.round(seconds));
  const pair = (big, bigUnit, small, smallUnit) =>
    `${big} ${bigUnit}` + (small ? ` ${small} ${smallUnit}` : "");
  if (s < 60) return `${s} s`;
  if (s < 3600) return pair(Math.floor(s / 60), "min", s % 60, "s");
  if (s < 86_400) return pair(Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "min");
  return pair(Math.floor(s / 86_400), "d", Math.floor((s % 86_400) / 3600), "h");
}

/** A share: 62%; a small share above zero is not rounded to 0%. */
export function share(value) {
  if (!known(value)) return none;
  const percent = value * 100;
  if (percent > 0 && percent < 0.5) return "<1%";
  return whole.format(percent) + "%";
}

export const clock = (time) => dayTime.format(time);
export const clockMinute = (time) => dayMinute.format(time);

/** 0–3, 7, 9–11 */
export function ranges(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const parts = [];
  for (let i = 0; i < sorted.length; i++) {
    const first = sorted[i];
    while (sorted[i + 1] === sorted[i] + 1) i++;
    parts.push(sorted[i] === first ? `${first}` : `${first}–${sorted[i]}`);
  }
  return parts.length ? parts.join(", ") : "none";
}

export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
