extension DashboardPage {
    /// The dashboard's page, which its scripts fill.
    static let html = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Rejoinder</title>
        <link rel="icon" href="dashboard/icon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="dashboard/style.css">
        <script type="module" src="dashboard/main.js"></script>
        </head>
        <body>
        <a class="skip" href="#main">Skip to the figures</a>
        <header class="top">
          <p class="brand">Rejoinder <span id="version"></span></p>
          <dl class="who">
            <div><dt><a href="group">Group</a></dt><dd id="group">&nbsp;</dd></div>
            <div><dt>Worker</dt><dd id="worker">&nbsp;</dd></div>
            <div><dt>Up for</dt><dd id="uptime">&nbsp;</dd></div>
          </dl>
          <p class="connection" id="connection" data-state="connecting"><span class="dot" aria-hidden="true"></span><span
            id="connection-text">Connecting</span></p>
        </header>
        <main id="main" tabindex="-1">
          <section class="verdict" id="verdict" data-kind="unknown" aria-labelledby="verdict-line">
            <h1 id="verdict-line">Waiting for the first figures</h1>
            <p id="verdict-more"></p>
            <p id="verdict-runbook" hidden><a href="runbook">What to do</a></p>
            <noscript><p>This page draws its figures with JavaScript. Without it, <a href="history">/history</a> has the same
              figures as JSON.</p></noscript>
            <div class="strip" id="strip" role="img" aria-label="State over the last hour: nothing known yet"></div>
            <p class="strip-key" id="strip-key"></p>
          </section>
          <p class="hidden" id="announce" role="status" aria-live="polite"></p>

          <section class="now" aria-labelledby="now-title">
            <h2 class="hidden" id="now-title">Now</h2>
            <dl id="tiles"></dl>
          </section>

          <div class="bar">
            <fieldset class="range" id="range">
              <legend class="hidden">Time shown in the charts</legend>
              <label><input type="radio" name="range" value="hour" checked><span>Last hour</span></label>
              <label><input type="radio" name="range" value="minutes"><span>Last 2 minutes</span></label>
            </fieldset>
            <p class="hint" id="hint">Point at a chart, or focus it and use the arrow keys, to read its figures.</p>
          </div>

          <div class="grid">
            <section class="wide" aria-labelledby="time-title">
              <h2 id="time-title">Where the time goes</h2>
              <div class="split">
                <div id="chart-time"></div>
                <div class="side">
                  <table class="shares" id="shares"><caption>Shares of all lanes' time, last 10 seconds</caption></table>
                </div>
              </div>
            </section>

            <section aria-labelledby="throughput-title">
              <h2 id="throughput-title">Throughput</h2>
              <div id="chart-records"></div>
              <div id="chart-bytes"></div>
            </section>

            <section aria-labelledby="lag-title">
              <h2 id="lag-title">Lag</h2>
              <div id="chart-lag"></div>
              <div id="partitions"></div>
            </section>

            <section class="wide" aria-labelledby="latency-title">
              <h2 id="latency-title">Latency</h2>
              <div class="three">
                <div id="chart-latency"></div>
                <div id="chart-event-latency"></div>
                <div id="chart-commit-latency"></div>
              </div>
              <table id="latencies"><caption>Latency in the last interval of the log</caption></table>
            </section>

            <section class="wide" id="changes" aria-labelledby="changes-title" hidden>
              <h2 id="changes-title">Questions published again</h2>
              <div class="three">
                <div id="chart-waiting"></div>
                <div id="chart-waiting-age"></div>
                <div id="chart-republished"></div>
              </div>
              <dl class="facts" id="waiting"></dl>
            </section>

            <section class="wide" aria-labelledby="lanes-title">
              <h2 id="lanes-title">Lanes</h2>
              <table class="lanes" id="lanes"><caption>What each lane does, and what it waits for</caption></table>
            </section>

            <section aria-labelledby="dead-title">
              <h2 id="dead-title">Dead letters</h2>
              <div id="chart-dead"></div>
              <table id="dead-codes"><caption>Dead letters by code</caption></table>
              <h3>Last causes</h3>
              <ol class="causes" id="causes"><li class="quiet">None since the worker started.</li></ol>
            </section>

            <section aria-labelledby="tables-title">
              <h2 id="tables-title">Answers and votes</h2>
              <div id="chart-tables"></div>
              <div id="restore"></div>
              <dl class="facts" id="store"></dl>
            </section>

            <section aria-labelledby="happenings-title">
              <h2 id="happenings-title">What happened</h2>
              <ol class="causes long" id="happenings"><li class="quiet">Nothing since the worker started.</li></ol>
            </section>

            <section aria-labelledby="commits-title">
              <h2 id="commits-title">Last commits</h2>
              <table id="commits"><caption>The last commits that came through</caption></table>
            </section>

            <section class="wide" aria-labelledby="process-title">
              <h2 id="process-title">Process</h2>
              <div class="three">
                <div id="chart-memory"></div>
                <div id="chart-cpu"></div>
                <div id="chart-store"></div>
              </div>
            </section>

            <section class="wide" aria-labelledby="question-title">
              <h2 id="question-title">Look a question up</h2>
              <form class="lookup" action="questions" method="get">
                <label for="question-id">Question id</label>
                <input id="question-id" name="id" required maxlength="200" autocomplete="off" autocapitalize="none"
                  spellcheck="false">
                <button>Show its enriched record</button>
              </form>
              <p class="hint">As the worker would publish it now, from the question's latest event and the stored answers and
                votes.</p>
            </section>
          </div>
        </main>
        <footer class="foot">
          <p>Also here: <a href="history">history</a> (JSON, the last hour), <a href="metrics">metrics</a> (Prometheus),
            <a href="readyz">readyz</a>, <a href="healthz">healthz</a>. Times are this browser's; charts end at the worker's
            last line.</p>
        </footer>
        </body>
        </html>
        """#
}
