extension DashboardPage {
    /// `verdict.js`: the first line.
    static let verdict = #"""
        // The first line of the page: is it keeping up, and if not, where does the time go?
        import { count, duration, plural, rate, share } from "./format.js";

        /** In the order in which they are stacked: work first, then waiting. */
        export const activities = [
          ["committing", "waiting for commits"],
          ["producing", "producing"],
          ["rendering", "rendering"],
          ["lookup", "looking up answers"],
          ["reading", "reading and checking"],
          ["applyingTables", "applying answers and votes"],
          ["other", "everything else"],
          ["waitingForInput", "waiting for input"],
          ["idle", "idle"],
        ];
        const names = Object.fromEntries(activities);

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

        /** Records a second by which the lag grows (least squares), or null when too little is known. */
        export function lagGrowth(all) {
          const lines = all.filter((line) => line.lag.total !== undefined);
          if (lines.length < 3) return null;
          const first = lines[0].t;
          const points = lines.map((line) => [(line.t - first) / 1000, line.lag.total]);
          if (points.at(-1)[0] < 5) return null;
          const mean = (index) => points.reduce((sum, point) => sum + point[index], 0) / points.length;
          const [x, y] = [mean(0), mean(1)];
          const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
          return points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
        }

        /** From where on the lag was of what it is of now: partitions that came or went meanwhile would be growth. */
        function comparable(lines) {
          const parts = lines.at(-1).lag.partitions.length;
          const other = lines.findLastIndex((line) => line.lag.partitions.length !== parts || line.state === "restoring");
          return lines.slice(other + 1);
        }

        /** "62% of the time goes into waiting for commits" */
        function whereTimeGoes(shares) {
          const [name, value] = activities
            .filter(([name]) => name !== "idle")
            .map(([name]) => [name, shares[name]])
            .reduce((most, next) => (next[1] > most[1] ? next : most));
          return value < 0.005 ? null : `${share(value)} of the time goes into ${names[name]}`;
        }

        /** "41% idle, 22% producing, 15% waiting for commits" */
        function largestShares(shares) {
          const parts = activities
            .map(([name, label]) => [label, shares[name]])
            .filter(([, value]) => value >= 0.005)
            .sort((a, b) => b[1] - a[1])
            .slice(0, 3)
            .map(([label, value]) => `${share(value)} ${label}`);
          return parts.length ? `Of the lanes’ time: ${parts.join(", ")}.` : "";
        }

        function waits(line, least) {
          const held = line.lanes.filter((lane) => lane.waitingFor && (lane.waitingSeconds ?? 0) >= least);
          held.sort((a, b) => (b.waitingSeconds ?? 0) - (a.waitingSeconds ?? 0));
          return held.map((lane) => `Lane ${lane.lane} waits for ${lane.waitingFor}, for ${duration(lane.waitingSeconds)}.`);
        }

        export function restored(restoring) {
          const known = restoring.filter((part) => part.of > 0);
          const of = known.reduce((sum, part) => sum + part.of, 0);
          return of > 0 ? known.reduce((sum, part) => sum + Math.min(part.done, part.of), 0) / of : null;
        }

        /**
         * @param line the newest
         * @param recent the lines of the last minute, the newest last
         * @returns kind (a word for the colour), title (what the announcement says), line (one sentence), more (what follows)
         */
        export function verdict(line, recent) {
          const shares = meanShares(recent.slice(-10));
          const lag = line.lag.total;
          const speed = recent.slice(-10).reduce((sum, one) => sum + one.recordsInPerSecond, 0)
            / Math.max(1, Math.min(10, recent.length));
          const growth = lagGrowth(comparable(recent));
          const time = whereTimeGoes(shares);
          const sentences = [...waits(line, 2)];
          const said = (kind, title, rest, ...more) => ({
            kind, title, line: rest ? `${title}: ${rest}` : title, more: [...more, ...sentences].filter(Boolean).join(" "),
          });

          if (line.state === "stalled") {
            const waiting = lag === undefined ? "" : `${plural(lag, "record")} wait${lag === 1 ? "s" : ""} and `;
            return said("bad", "Stalled", `${waiting}nothing is committed`,
              time && `${time}.`);
          }
          if (line.state === "restoring") {
            const parts = line.store.restoring;
            const done = restored(parts);
            return said("restoring", "Restoring", `answers and votes of ${plural(parts.length, "partition")}`
              + (done === null ? "" : `, ${share(done)} done`),
              `${parts.length === 1 ? "Its questions wait" : "Their questions wait"} until then; lag ${count(lag)}.`);
          }
          if (lag === undefined) {
            return said("fair", "Lag not known yet", "not every lane has its partitions and has seen how far it is in them",
              speed >= 0.05 && `${rate(speed)} records/s come through.`);
          }
          // What is under way between two commits is not a backlog.
          const small = Math.max(50, 2 * speed);
          const steep = Math.max(1, speed * 0.01);
          if (lag > small && growth !== null && growth > steep) {
            return said("bad", "Falling behind", `lag ${count(lag)}, growing by ${rate(growth)}/s` + (time ? `; ${time}` : ""),
              `${rate(speed)} records/s come through.`);
          }
          if (lag > small && growth !== null && growth < -steep) {
            return said("fair", "Catching up", `lag ${count(lag)}, shrinking by ${rate(-growth)}/s`,
              `At this speed done in ${duration(lag / -growth)}. ${rate(speed)} records/s come through${time ? "; " + time : ""}.`);
          }
          if (lag > small) {
            return said("fair", "Behind", `lag ${count(lag)}` + (growth === null ? "" : ", neither growing nor shrinking")
              + (time ? `; ${time}` : ""), `${rate(speed)} records/s come through.`);
          }
          if (line.state === "idle" && speed < 0.05) {
            return said("good", "Idle", `nothing to do, lag ${count(lag)}`);
          }
          const tables = tableRate(line);
          const through = line.recordsInPerSecond === 0 && speed < 0.05 && tables > 0
            ? `${rate(tables)} answers and votes/s` : `${rate(speed)} records/s`;
          return said("good", "Keeping up", `${through}, lag ${count(lag)}`, largestShares(shares));
        }
        """#
}
