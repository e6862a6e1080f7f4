// Axes: from a value to a place, with ticks at round numbers.

/** The next of 1, 2, 5, 10, ... that is not smaller. */
function round(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= value * 0.9999);
}

/** From 0 to at least the greatest value. `least`: the least end of the axis, also when all values are small. */
export function linear(values, { top, bottom }, { least = 1, whole = false }) {
  const most = values.reduce((most, value) => Math.max(most, value), 0) || least;
  const reach = Math.max(most, least);
  const lines = Math.max(2, Math.round((bottom - top) / 40));
  const step = Math.max(round(reach / lines), whole ? 1 : 0);
  const end = Math.ceil(reach / step - 1e-9) * step;
  const scale = (value) => bottom - (Math.max(0, Math.min(value, end)) / end) * (bottom - top);
  scale.ticks = [];
  for (let i = 0; i * step <= end * 1.0001; i++) scale.ticks.push({ value: i * step, at: scale(i * step) });
  return scale;
}

/** Whole decades around the values. */
export function logarithmic(values, { top, bottom }) {
  const positive = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(positive.reduce((least, value) => Math.min(least, value), Infinity)));
  const high = Math.ceil(Math.log10(positive.reduce((most, value) => Math.max(most, value), 0)));
  const from = positive.length ? Math.max(-2, Math.min(low, high - 1)) : 0;
  const to = positive.length ? Math.max(high, from + 1) : 3;
  const scale = (value) => {
    const at = (Math.log10(Math.max(value, 10 ** from)) - from) / (to - from);
    return bottom - Math.min(1, Math.max(0, at)) * (bottom - top);
  };
  const every = Math.ceil((to - from) / Math.max(2, Math.round((bottom - top) / 24)));
  scale.ticks = [];
  for (let power = from; power <= to; power += every) scale.ticks.push({ value: 10 ** power, at: scale(10 ** power) });
  return scale;
}

/** Round times inside a window, in the browser's time zone. */
export function timeTicks({ start, end }, width) {
  const steps = [10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800].map((seconds) => seconds * 1000);
  const room = Math.max(1, Math.floor(width / 72));
  const step = steps.find((step) => (end - start) / step <= room) ?? steps.at(-1);
  const zone = new Date(end).getTimezoneOffset() * 60_000;
  const times = [];
  for (let time = Math.ceil((start - zone) / step) * step + zone; time <= end; time += step) times.push(time);
  return times;
}
