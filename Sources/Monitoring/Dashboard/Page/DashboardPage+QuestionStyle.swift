extension DashboardPage {
    /// `question.css`: the pages about one question.
    static let questionStyle = #"""
        :root {
          color-scheme: light dark;
          --paper: #fbfbf9; --ink: #1b1d1f; --soft: #5b6168; --hair: #e3e5e1; --panel: #f3f4f0; --focus: #1f5fae; --good: #1f7a4d;
          --bad: #b3261e; --line: #8a8f94;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #131517; --ink: #e8e9e6; --soft: #a0a6ac; --hair: #2a2e32; --panel: #1b1e21; --focus: #7db4f5; --good: #5cc490;
            --bad: #f28b82; --line: #7f868d;
          }
        }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
        body {
          margin: 0 auto; padding: 0 16px 56px; max-width: 780px; background: var(--paper); color: var(--ink);
          font: 16px/1.6 Inter, "Segoe UI", "Helvetica Neue", "Liberation Sans", Arial, system-ui, sans-serif; overflow-wrap: anywhere;
          font-variant-numeric: tabular-nums;
        }
        h1, h2, h3, p, ul, ol { margin: 0; padding: 0; }
        a { color: inherit; text-decoration-color: var(--line); text-underline-offset: 2px; }
        :focus-visible { outline: 2px solid var(--focus); outline-offset: 3px; border-radius: 3px; }
        header {
          display: flex; flex-wrap: wrap; gap: 10px 20px; align-items: center; justify-content: space-between; padding: 16px 0;
          border-bottom: 1px solid var(--hair); font-size: 14px;
        }
        form { display: flex; flex: 1 1 260px; max-width: 420px; gap: 8px; }
        label { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
        input, button { font: inherit; font-size: 14px; color: inherit; border-radius: 6px; padding: 6px 10px; }
        input { flex: 1; min-width: 0; border: 1px solid var(--line); background: var(--paper); }
        button { border: 1px solid var(--ink); background: var(--ink); color: var(--paper); cursor: pointer; }
        h1 { font-size: clamp(24px, 4.5vw, 33px); line-height: 1.22; letter-spacing: -0.02em; font-weight: 640; margin: 36px 0 6px; text-wrap: balance; }
        .quiet { color: var(--soft); font-size: 14px; }
        .text { white-space: pre-wrap; unicode-bidi: plaintext; margin-top: 14px; }
        .tags { display: flex; flex-wrap: wrap; gap: 6px; list-style: none; margin-top: 14px; font-size: 13px; }
        .tags li { background: var(--panel); border-radius: 4px; padding: 1px 9px; }
        h2 { font-size: 20px; letter-spacing: -0.01em; font-weight: 620; margin: 40px 0 4px; }
        table { width: 100%; margin-top: 24px; border-collapse: collapse; font-size: 14px; }
        th, td { padding: 8px 10px 8px 0; text-align: left; vertical-align: top; border-top: 1px solid var(--hair); }
        th { color: var(--soft); font-weight: 400; border-top: 0; }
        td:nth-child(n + 3), th:nth-child(n + 3) { text-align: right; }
        td b { font-weight: 620; }
        td b.good { color: var(--good); }
        td b.bad { color: var(--bad); }
        .answers { list-style: none; }
        .answers > li { display: grid; grid-template-columns: 64px minmax(0, 1fr); gap: 4px 18px; padding: 22px 0; border-top: 1px solid var(--hair); }
        .votes { font-size: 22px; font-weight: 600; line-height: 1.2; color: var(--good); text-align: right; }
        .votes.low { color: var(--soft); }
        .votes small { display: block; font-size: 12px; font-weight: 400; color: var(--soft); }
        h3 { font-size: 17px; line-height: 1.35; font-weight: 620; }
        h3 + .text { margin-top: 6px; }
        .answers .text:first-child { margin-top: 0; }
        .author { margin-top: 14px; font-size: 14px; line-height: 1.5; }
        .author b { font-weight: 620; font-size: 15px; }
        .author span + span::before { content: " · "; color: var(--line); }
        .omitted { border-top: 1px solid var(--hair); padding: 16px 0; }
        .problem { border-left: 5px solid var(--bad); padding: 2px 0 2px 16px; margin: 44px 0 18px; }
        .problem h1 { margin: 0 0 8px; color: var(--bad); font-size: 27px; }
        .record { margin-top: 36px; padding-top: 18px; border-top: 1px solid var(--hair); }
        table { border-collapse: collapse; margin-top: 14px; font-size: 14px; }
        th, td { text-align: left; vertical-align: top; padding: 6px 14px 6px 0; border-top: 1px solid var(--hair); }
        main > h2 { font-size: 27px; }
        main > h3 { font-size: 19px; margin: 34px 0 0; scroll-margin-top: 16px; }
        main > h3:target { border-left: 5px solid var(--focus); padding-left: 12px; }
        .text:has(code) { white-space: normal; }
        code { font: 13.5px ui-monospace, "Liberation Mono", monospace; }
        summary { cursor: pointer; }
        pre { background: var(--panel); border-radius: 6px; padding: 14px; font: 13px/1.5 ui-monospace, "Liberation Mono", monospace; white-space: pre-wrap; max-height: 480px; overflow-y: auto; }
        @media (max-width: 520px) {
          .answers > li { grid-template-columns: minmax(0, 1fr); }
          .votes { text-align: left; } .votes small { display: inline; margin-left: 6px; }
        }
        """#
}
