extension DashboardPage {
    /// The dashboard's `style.css`.
    static let style = #"""
        :root {
          color-scheme: light dark;
          --paper: #fbfbf9; --ink: #1b1d1f; --soft: #5b6168; --faint: #d9dbd8; --hair: #e7e8e4; --panel: #f3f4f0; --focus: #1f5fae;
          --good: #1f7a4d; --fair: #96640a; --bad: #b3261e; --restoring: #22589c;
          --blue: #2865ab; --green: #23845c; --amber: #c98a12; --orange: #d9722b; --red: #c2443c; --violet: #7a58ad; --teal: #2f8f8a;
          --gray: #8a8f94; --pale: #e3e5e1; --mist: #bcc6d1; --leaf: #7aa850;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #131517; --ink: #e8e9e6; --soft: #a0a6ac; --faint: #3a3f44; --hair: #262a2e; --panel: #1b1e21; --focus: #7db4f5;
            --good: #5cc490; --fair: #dfae56; --bad: #f28b82; --restoring: #84b4ee;
            --blue: #6ca6e8; --green: #4fb98a; --amber: #d9a53f; --orange: #e08b4d; --red: #dd6a62; --violet: #a487d4; --teal: #4fb0aa;
            --gray: #7f868d; --pale: #272b2f; --mist: #46525f; --leaf: #8dbb63;
          }
        }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
        body {
          margin: 0 auto; padding: 0 clamp(16px, 3vw, 40px) 48px; max-width: 1280px; background: var(--paper); color: var(--ink);
          font: 15px/1.5 Inter, "Segoe UI", "Helvetica Neue", "Liberation Sans", Arial, system-ui, sans-serif;
          font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
        }
        h1, h2, h3, p, dl, dd, figure, table, ol { margin: 0; padding: 0; }
        h2 { font-size: 19px; font-weight: 600; letter-spacing: -0.01em; margin-bottom: 14px; }
        h3 { font-size: 14px; font-weight: 600; margin: 22px 0 6px; }
        a { color: inherit; text-decoration-color: var(--gray); text-underline-offset: 2px; }
        :focus-visible { outline: 2px solid var(--focus); outline-offset: 3px; border-radius: 3px; }
        main:focus { outline: none; }
        .hidden {
          position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
        }
        .skip { position: absolute; left: 12px; top: -60px; background: var(--paper); padding: 8px 12px; z-index: 2; }
        .skip:focus { top: 8px; }
        #partitions .quiet, #restore .quiet { margin-top: 16px; }
        .quiet, .hint { color: var(--soft); font-size: 13.5px; }

        .top {
          display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 28px; padding: 18px 0 14px;
          border-bottom: 1px solid var(--hair);
        }
        .brand { font-weight: 650; letter-spacing: -0.01em; }
        .brand span { color: var(--soft); font-weight: 400; margin-left: 4px; }
        .who { display: flex; flex-wrap: wrap; gap: 2px 22px; font-size: 13.5px; }
        .who div { display: flex; gap: 6px; min-width: 0; }
        .who dt { color: var(--soft); }
        .connection { margin-left: auto; font-size: 13.5px; color: var(--soft); }
        .dot { display: inline-block; width: 8px; height: 8px; border-radius: 50%; background: var(--gray); margin-right: 7px; }
        [data-state="live"] .dot { background: var(--good); }
        [data-state="lost"], [data-state="full"] { color: var(--bad); font-weight: 600; }
        [data-state="lost"] .dot, [data-state="full"] .dot { background: transparent; box-shadow: inset 0 0 0 2px var(--bad); }

        .verdict { padding: 34px 0 26px; --tone: var(--soft); }
        .verdict[data-kind="good"] { --tone: var(--good); }
        .verdict[data-kind="fair"] { --tone: var(--fair); }
        .verdict[data-kind="bad"] { --tone: var(--bad); }
        .verdict[data-kind="restoring"] { --tone: var(--restoring); }
        .verdict h1 {
          font-size: clamp(24px, 3.4vw, 38px); line-height: 1.18; font-weight: 620; letter-spacing: -0.022em; color: var(--tone);
          text-wrap: balance;
        }
        .verdict[data-kind="bad"] h1, .verdict[data-kind="restoring"] h1 { border-left: 5px solid var(--tone); padding-left: 16px; }
        #verdict-more { color: var(--soft); margin-top: 8px; min-height: 1.5em; max-width: 90ch; }
        .stale .now, .stale .grid { opacity: 0.55; }
        .strip { height: 10px; margin-top: 22px; border-radius: 3px; overflow: hidden; background: var(--hair); }
        .strip svg { display: block; width: 100%; height: 100%; }
        .strip-key { display: flex; flex-wrap: wrap; gap: 0 18px; margin-top: 6px; min-height: 1.5em; font-size: 13px; color: var(--soft); }
        .s-working { --c: var(--green); } .s-idle { --c: var(--mist); } .s-restoring { --c: var(--blue); }
        .s-stalled { --c: var(--red); } .s-away { --c: var(--faint); }
        .state { fill: var(--c); }

        .now dl {
          display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); border-top: 1px solid var(--hair);
          border-bottom: 1px solid var(--hair);
        }
        .now dl > div { padding: 14px 16px 13px 0; min-width: 0; }
        .now dl > div + div { padding-left: 16px; border-left: 1px solid var(--hair); }
        .now dt { font-size: 13px; color: var(--soft); }
        .figure { font-size: 27px; line-height: 1.25; font-weight: 560; letter-spacing: -0.02em; }
        .unit { color: var(--soft); font-size: 13px; }
        .under { color: var(--soft); font-size: 13px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
        [data-alarm="true"] .figure { color: var(--bad); }

        .bar { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 20px; padding: 20px 0 4px; }
        .range { border: 0; margin: 0; padding: 0; display: inline-flex; font-size: 13.5px; }
        .range label { cursor: pointer; position: relative; }
        .range input { position: absolute; opacity: 0; inset: 0; margin: 0; cursor: pointer; }
        .range span { display: block; padding: 5px 13px; border: 1px solid var(--faint); color: var(--soft); }
        .range label:first-of-type span { border-radius: 6px 0 0 6px; border-right: 0; }
        .range label:last-of-type span { border-radius: 0 6px 6px 0; }
        .range input:checked + span { background: var(--ink); border-color: var(--ink); color: var(--paper); }
        .range input:focus-visible + span { outline: 2px solid var(--focus); outline-offset: 2px; }

        .grid { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); column-gap: 48px; }
        .grid > section { padding: 26px 0 30px; border-bottom: 1px solid var(--hair); min-width: 0; }
        .wide { grid-column: 1 / -1; }
        .split { display: grid; grid-template-columns: minmax(0, 1fr) 300px; gap: 40px; align-items: start; }
        .three { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 12px 36px; }

        .chart + .chart, #chart-bytes { margin-top: 18px; }
        .chart figcaption { display: flex; flex-wrap: wrap; gap: 0 14px; align-items: baseline; font-size: 13px; min-height: 20px; }
        .chart .title { font-weight: 600; }
        .chart time { color: var(--soft); }
        .keys { display: flex; flex-wrap: wrap; gap: 0 14px; margin-left: auto; color: var(--soft); }
        .keys b { color: var(--ink); font-weight: 560; }
        .quiet-keys .keys { display: none; }
        .quiet-keys:has(.plot:focus-visible) .keys, .quiet-keys:hover .keys { display: flex; }
        .key { white-space: nowrap; }
        .key i {
          display: inline-block; width: 10px; height: 10px; border-radius: 2px; background: var(--c); margin-right: 6px;
          vertical-align: -0.5px;
        }
        .lines .key i, .area .key i { height: 3px; width: 12px; vertical-align: 3px; border-radius: 0; }
        .plot { margin-top: 4px; touch-action: pan-y; cursor: crosshair; border-radius: 3px; }
        .plot svg { display: block; max-width: 100%; }
        .plot text { fill: var(--soft); font-size: 11.5px; }
        .grid-line { stroke: var(--hair); } .tick { stroke: var(--faint); }
        .curve { fill: none; stroke: var(--c); stroke-width: 1.6; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
        .fill { fill: var(--c); opacity: 0.14; } .area { fill: var(--c); } .point { fill: var(--c); }
        .away { fill: var(--panel); }
        .mark { stroke: var(--gray); stroke-dasharray: 2 3; } .mark.restart { stroke: var(--bad); stroke-dasharray: 5 3; }
        .cursor { stroke: var(--ink); opacity: 0.5; } circle.dot { fill: var(--c); stroke: var(--paper); stroke-width: 1.5; }
        .c-in { --c: var(--blue); } .c-out { --c: var(--green); } .c-lag, .c-topic-0 { --c: var(--blue); }
        .c-topic-1 { --c: var(--violet); } .c-topic-2 { --c: var(--teal); }
        .c-p50 { --c: var(--teal); } .c-p90 { --c: var(--blue); } .c-p99 { --c: var(--orange); } .c-max { --c: var(--gray); }
        .curve.c-max { stroke-width: 1; } .curve.c-in { stroke-width: 2.6; opacity: 0.55; }
        .c-answers { --c: var(--teal); } .c-votes { --c: var(--violet); }
        .c-waiting { --c: var(--blue); } .c-unseen { --c: var(--gray); }
        .c-memory { --c: var(--violet); } .c-cpu { --c: var(--orange); } .c-store { --c: var(--teal); }
        .c-committing { --c: var(--red); } .c-producing { --c: var(--orange); } .c-rendering { --c: var(--amber); }
        .c-lookup { --c: var(--leaf); } .c-reading { --c: var(--teal); } .c-applyingTables { --c: var(--violet); }
        .c-other { --c: var(--gray); } .c-waitingForInput { --c: var(--mist); } .c-idle { --c: var(--pale); }
        .c-dead-invalid-json { --c: var(--red); } .c-dead-too-deep { --c: var(--violet); } .c-dead-schema { --c: var(--orange); }
        .c-dead-key-mismatch { --c: var(--amber); } .c-dead-too-large { --c: var(--blue); }
        .c-dead-refused { --c: var(--teal); }
        .c-idle i { box-shadow: inset 0 0 0 1px var(--faint); }

        table { width: 100%; border-collapse: collapse; font-size: 13.5px; }
        caption { text-align: left; color: var(--soft); font-size: 13px; padding: 14px 0 4px; }
        .side caption { padding-top: 0; }
        th, td { text-align: right; font-weight: 400; padding: 5px 0 5px 14px; border-top: 1px solid var(--hair); vertical-align: baseline; }
        thead th { white-space: nowrap; color: var(--soft); font-size: 12.5px; border-top: 0; }
        tbody th, thead th:first-child { text-align: left; padding-left: 0; }
        .shares thead { position: absolute; clip-path: inset(50%); }
        .shares th, .shares td { padding-top: 3.5px; padding-bottom: 3.5px; }
        .shares td, td:first-of-type { font-weight: 560; }
        .lanes th:nth-child(2), .lanes td:nth-child(2), .lanes th:last-child, .lanes td:last-child { text-align: left; font-weight: 400; }
        .lanes td:nth-child(6) { width: 22%; }
        .share-bar { display: block; width: 100%; height: 10px; border-radius: 2px; margin-top: 5px; }
        .bar-cell { width: 100%; height: 8px; } .spark { width: 100%; height: 20px; display: block; }
        .partitions td:nth-child(3) { width: 24%; } .partitions td:nth-child(4) { width: 24%; }
        .scroll { overflow-x: auto; } .scroll.long, .as-table .scroll { max-height: 380px; overflow-y: auto; }
        .as-table { font-size: 12.5px; color: var(--soft); margin: 2px 0 0 52px; }
        .as-table summary { cursor: pointer; width: max-content; } .as-table table { font-size: 12.5px; }
        button, input { font: inherit; color: inherit; }
        button {
          background: none; border: 1px solid var(--faint); border-radius: 6px; padding: 6px 13px; cursor: pointer; font-size: 13.5px;
          margin-top: 12px;
        }
        button:hover { border-color: var(--soft); }
        .causes { list-style: none; font-size: 13.5px; max-height: 330px; overflow-y: auto; }
        .causes li { padding: 7px 0; border-top: 1px solid var(--hair); }
        .cause { unicode-bidi: isolate; }
        .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 12px; margin-top: 18px; }
        .facts dt { color: var(--soft); font-size: 13px; } .facts dd { font-size: 18px; font-weight: 560; }
        progress { width: 100%; height: 10px; accent-color: var(--blue); }
        #restores td:nth-child(3) { width: 30%; }
        .lookup { display: flex; flex-wrap: wrap; align-items: end; gap: 10px; margin-bottom: 8px; }
        .lookup label { flex-basis: 100%; font-size: 13px; color: var(--soft); }
        .lookup input {
          flex: 1 1 260px; min-width: 0; max-width: 460px; padding: 8px 11px; border: 1px solid var(--gray); border-radius: 6px;
          background: var(--paper);
        }
        .lookup button { margin: 0; padding: 8px 15px; background: var(--ink); border-color: var(--ink); color: var(--paper); font-size: 15px; }
        .foot { color: var(--soft); font-size: 13px; padding-top: 22px; }

        @media (max-width: 1080px) { .split { grid-template-columns: minmax(0, 1fr); gap: 18px; } }
        @media (max-width: 880px) {
          .grid, .three { grid-template-columns: minmax(0, 1fr); }
          .now dl { grid-template-columns: repeat(3, minmax(0, 1fr)); }
          .now dl > div:nth-child(3n + 1) { border-left: 0; padding-left: 0; }
          .now dl > div:nth-child(n + 4) { border-top: 1px solid var(--hair); }
          .hint { display: none; } form + .hint { display: block; }
        }
        @media (max-width: 620px) {
          .connection { margin-left: 0; flex-basis: 100%; }
          .verdict { padding: 24px 0 18px; }
          .now dl { grid-template-columns: repeat(2, minmax(0, 1fr)); }
          .now dl > div { border-left: 1px solid var(--hair); padding-left: 14px; border-top: 1px solid var(--hair); }
          .now dl > div:nth-child(odd) { border-left: 0; padding-left: 0; }
          .now dl > div:nth-child(even) { border-left: 1px solid var(--hair); padding-left: 14px; }
          .now dl > div:nth-child(-n + 2) { border-top: 0; }
          .figure { font-size: 23px; }
          .keys { margin-left: 0; flex-basis: 100%; }
          .lanes thead { position: absolute; clip-path: inset(50%); }
          .lanes tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); padding: 8px 0; border-top: 1px solid var(--hair); }
          .lanes tbody th { grid-column: 1 / -1; font-weight: 600; }
          .lanes th, .lanes td, .lanes td:nth-child(6) { border: 0; text-align: left; padding: 2px 8px 2px 0; width: auto; font-weight: 400; }
          .lanes td::before { content: attr(data-label) " "; color: var(--soft); }
          .lanes td:nth-child(6), .lanes td:last-child { grid-column: 1 / -1; }
          .partitions th:nth-child(3), .partitions td:nth-child(3) { display: none; }
          .as-table { margin-left: 0; }
          #latencies { font-size: 12.5px; }
          #latencies td { white-space: nowrap; }
          #latencies th, #latencies td { padding-left: 6px; }
          #latencies tbody th { padding-left: 0; }
        }
        @media (prefers-reduced-motion: no-preference) { .skip { transition: top 0.15s; } }
        @media (prefers-contrast: more) { :root { --soft: var(--ink); --hair: var(--gray); } }
        @media (forced-colors: active) { .key i, .area, .curve, .state { forced-color-adjust: none; } }
        """#
}
