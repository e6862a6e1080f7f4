// The lines: the last hour from /history, then one a second from /events, and again whenever the connection was lost.

const HOUR = 3_600_000;
/** A line comes every second. */
const SILENCE = 3_000;

const read = (line) => ({ ...line, t: Date.parse(line.time) });

export class Live {
  /**
   * @param told { history(), line(), deadLetters(notes), connection(state, secondsToWait) }: called when there is news;
   *   state is live, lost or full
   */
  constructor(told) {
    this.told = told;
    /** One for each interval of the last hour, oldest first; those of a worker that is gone stay. */
    this.hour = [];
    /** One for each second of the last two minutes that this page has seen. */
    this.seconds = [];
    this.failures = 0;
    this.heard = Date.now();
    /** Why nothing comes; null while lines come. */
    this.reason = null;
    setInterval(() => this.watch(), 1000);
    addEventListener("online", () => this.retry());
    addEventListener("pageshow", (event) => event.persisted && this.retry());
    document.addEventListener("visibilitychange", () => !document.hidden && !this.source && this.retry());
    this.connect();
  }

  get latest() {
    return this.seconds.at(-1) ?? this.hour.at(-1) ?? null;
  }

  connect() {
    clearTimeout(this.waiting);
    this.waiting = null;
    this.tried = Date.now();
    /** Lines sent while there was no connection are to be fetched. */
    this.lacksSeconds = true;
    const source = (this.source = new EventSource("events"));
    source.onopen = () => this.load();
    source.onerror = () => this.lose();
    source.addEventListener("dead-letters", (event) => this.told.deadLetters(JSON.parse(event.data)));
    source.addEventListener("happenings", (event) => this.told.happenings(JSON.parse(event.data)));
    source.addEventListener("commits", (event) => this.told.commits(JSON.parse(event.data)));
    source.onmessage = (event) => this.take(read(JSON.parse(event.data)));
  }

  /** For how long nothing has come, in whole seconds; 0 while lines come. */
  get silent() {
    return this.reason ? Math.max(1, Math.round((Date.now() - this.heard) / 1000)) : 0;
  }

  take(line) {
    this.heard = Date.now();
    this.failures = 0;
    this.reason = null;
    if (!this.append(this.seconds, line)) return;
    while (this.hour.length && this.hour.at(-1).t > line.t + 1000) this.hour.pop();
    while (this.seconds[0].t < line.t - 130_000) this.seconds.shift();
    this.told.connection("live");
    this.told.line();
    const last = this.hour.at(-1);
    if (!this.loading && (!last || line.t - last.t > last.seconds * 1000 + 1500)) this.load();
  }

  /**
   * Adds a line behind those before. The worker's uptime tells which one is newer: its clock may be set back, and then
   * lines from a time that lies in the future by now go.
   * @returns whether it is new
   */
  append(lines, line) {
    const last = lines.at(-1);
    if (last && line.uptimeSeconds <= last.uptimeSeconds && line.t <= last.t) return false;
    while (lines.length && lines.at(-1).t >= line.t) lines.pop();
    lines.push(line);
    return true;
  }

  /** Fetches the lines since the last known one. */
  async load() {
    if (this.loading) return;
    this.loading = true;
    try {
      const last = this.hour.at(-1);
      const answer = await fetch("history" + (last ? `?after=${encodeURIComponent(last.time)}` : ""));
      if (!answer.ok) throw new Error(`history: ${answer.status}`);
      for (const line of (await answer.json()).map(read)) this.append(this.hour, line);
      if (this.lacksSeconds) await this.loadSeconds();
      while (this.hour.length && this.hour[0].t < this.hour.at(-1).t - HOUR - 60_000) this.hour.shift();
      this.told.history();
    } catch {
      // The events say when it is there again.
    } finally {
      // No sooner than a second later, should the worker have nothing new.
      setTimeout(() => (this.loading = false), 1000);
    }
  }

  /** The last two minutes, so that a page has them at once. */
  async loadSeconds() {
    const answer = await fetch("history?of=seconds");
    if (!answer.ok) return;
    const told = (await answer.json()).map(read);
    this.lacksSeconds = false;
    const all = new Map([...this.seconds, ...told].map((line) => [line.time, line]));
    this.seconds = [...all.values()].sort((a, b) => a.t - b.t);
    this.told.line();
  }

  /** A connection may go without a word. */
  watch() {
    if (this.source && Date.now() - Math.max(this.heard, this.tried) > SILENCE) this.lose();
    if (this.due && this.reason) this.told.connection(this.reason, Math.max(0, Math.ceil((this.due - Date.now()) / 1000)));
  }

  lose() {
    // Refused, and not cut off: an EventSource does not tell why.
    const isRefused = this.source?.readyState === EventSource.CLOSED;
    this.source?.close();
    this.source = null;
    if (this.waiting) return;
    this.reason = "lost";
    if (isRefused) this.ask();
    const pause = Math.min(30_000, 1000 * 2 ** this.failures++) * (0.8 + 0.4 * Math.random());
    this.due = Date.now() + pause;
    this.told.connection(this.reason, Math.ceil(pause / 1000));
    this.waiting = setTimeout(() => this.retry(), pause);
  }

  async ask() {
    const answer = await fetch("events", { method: "HEAD" }).catch(() => null);
    if (answer?.status === 503) this.reason = "full";
  }

  retry() {
    if (this.source && Date.now() - Math.max(this.heard, this.tried) < SILENCE) return;
    this.source?.close();
    this.due = null;
    this.connect();
  }
}
