/// The style of a report's page for light and dark screens and for paper. It loads no external resource.
enum PageStyle {
    static let css = """
        :root{color-scheme:light dark;--bg:#fff;--card:#f6f7f9;--ink:#1b1f24;--soft:#5b6470;--rule:#d9dde3;--grid:#e6e9ee;
        --c1:#1f6feb;--c2:#d9730d;--c3:#1a8a5a;--c4:#b0379a;--c5:#7a5af0;--c6:#0b8ea3;--c7:#8a6d1b;--sum:#1b1f24;
        --t1:#8250df;--t2:#1f6feb;--t3:#0b8ea3;--t4:#1a8a5a;--t5:#c99a06;--t6:#d1462f;--t7:#9db4d0;--t8:#8b949e;--t9:#e3e7ec;
        --bad:#c62828;--warn:#9a6700;--good:#1a7f37;--stall:#c6282826;--restore:#9a670024}
        @media (prefers-color-scheme:dark){:root{--bg:#0f1216;--card:#171b21;--ink:#e6e9ee;--soft:#9aa4b0;--rule:#2c333c;--grid:#232a32;
        --c1:#5aa2ff;--c2:#f2a65a;--c3:#4cc38a;--c4:#e58ad3;--c5:#a896ff;--c6:#4fc3d9;--c7:#d6b656;--sum:#e6e9ee;
        --t1:#a57cf0;--t2:#4d93ff;--t3:#2fb0c6;--t4:#3fae76;--t5:#e0b73a;--t6:#f0654c;--t7:#51657f;--t8:#6b7683;--t9:#242b33;
        --bad:#ff6b61;--warn:#e3b341;--good:#56d364;--stall:#ff6b6133;--restore:#e3b3412b}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
        main,header,footer{max-width:1180px;margin:0 auto;padding:0 24px}
        header{padding-top:28px}h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}h3{font-size:1rem;margin:0}
        p{margin:.3rem 0}.note,footer{color:var(--soft);font-size:.87rem}a{color:var(--c1)}
        nav{margin:.8rem 0 0;display:flex;gap:.3rem 1.1rem;flex-wrap:wrap;font-size:.9rem}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:10px;margin:1.2rem 0 0;padding:0}
        .tiles div{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:10px 14px}
        .tiles dt{color:var(--soft);font-size:.82rem}.tiles dd{margin:0;font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}
        .tiles dd small{display:block;font-size:.8rem;font-weight:400;color:var(--soft);line-height:1.35}
        .findings{margin:.4rem 0 0;padding:0;list-style:none}.findings li{padding:.28rem 0 .28rem 1.7rem;position:relative}
        .findings li::before{position:absolute;left:.1rem;font-weight:700}
        .findings .good::before{content:"✓";color:var(--good)}.findings .bad::before{content:"!";color:var(--bad);left:.35rem}
        .findings .warn::before{content:"▲";color:var(--warn);font-size:.8em;top:.45em}.findings .say::before{content:"·";left:.35rem}
        figure{margin:1.3rem 0 0;break-inside:avoid}figcaption{margin-bottom:.2rem}
        .wide{overflow-x:auto}svg{display:block;width:100%;min-width:760px;height:auto}
        svg text{font-size:12px;fill:var(--soft);font-variant-numeric:tabular-nums}.e{text-anchor:end}.m{text-anchor:middle}
        .grid path{stroke:var(--grid);fill:none}.line{fill:none;stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}
        .strong{stroke-width:2.2}.band{opacity:.18;stroke:none}.layer{stroke:none}
        .h rect{fill:transparent}.h rect:hover{fill:var(--ink);fill-opacity:.09}
        .s-stalled{fill:var(--stall)}.s-restoring{fill:var(--restore)}
        .restart path{stroke:var(--bad);stroke-width:1}.restart .head{fill:var(--bad);stroke:none}
        .rebalance path{stroke:var(--soft);stroke-dasharray:2 3;opacity:.6}.rebalance .head{fill:var(--soft);stroke:none;opacity:1}
        .st-working{fill:var(--t4)}.st-idle{fill:var(--t9)}.st-restoring{fill:var(--t5)}.st-stalled{fill:var(--bad)}
        .legend{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;margin:.25rem 0 .1rem;padding:0;font-size:.85rem}
        .legend i{display:inline-block;width:16px;height:3px;border-radius:2px;margin-right:.4em;vertical-align:middle;background:currentColor}
        .legend i.full{width:11px;height:11px}
        details{margin:.2rem 0}summary{color:var(--soft);font-size:.85rem;cursor:pointer}
        table{border-collapse:collapse;font-size:.87rem;font-variant-numeric:tabular-nums;margin:.4rem 0}
        th,td{padding:.22rem .8rem;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}
        th:first-child,td.t,th.t{text-align:left}thead th{color:var(--soft);font-weight:600;vertical-align:bottom}tbody th{font-weight:400}
        tr.section th{font-weight:600;padding-top:.8rem;color:var(--soft)}tr:hover td,tr:hover th{background:var(--card)}
        .figures th:first-child{position:sticky;left:0;background:var(--bg)}td.sum{font-weight:600}
        td.wrap{white-space:normal;min-width:22rem;overflow-wrap:anywhere}.bad{color:var(--bad)}.goodtext{color:var(--good)}.badtext{color:var(--bad)}
        .level{font-weight:600}.strips text{font-size:12px}
        footer{margin:2.5rem auto 2rem;border-top:1px solid var(--rule);padding-top:.8rem}
        @media (max-width:600px){main,header,footer{padding-left:14px;padding-right:14px}}
        @media print{:root{--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--rule:#bbb;--grid:#ddd;--c1:#1f6feb;--c2:#d9730d;--c3:#1a8a5a;
        --c4:#b0379a;--c5:#7a5af0;--c6:#0b8ea3;--c7:#8a6d1b;--sum:#000;--t1:#8250df;--t2:#1f6feb;--t3:#0b8ea3;--t4:#1a8a5a;--t5:#c99a06;
        --t6:#d1462f;--t7:#9db4d0;--t8:#8b949e;--t9:#e3e7ec;--bad:#c62828;--warn:#9a6700;--good:#1a7f37;--stall:#c6282826;--restore:#9a670024}
        body{font-size:11px;print-color-adjust:exact;-webkit-print-color-adjust:exact}main,header,footer{max-width:none;padding:0}
        details,nav{display:none}.wide{overflow:visible}svg{min-width:0}h2{break-after:avoid}th,td{padding:.15rem .4rem}}
        """ + colours

    /// Colours: `c1` and up for lines, `t1` and up for lane activities.
    private static var colours: String {
        let names = (1...7).map { "c\($0)" } + (1...9).map { "t\($0)" } + ["sum"]
        return names.map { name in
            ".line.\(name){stroke:var(--\(name))}.band.\(name),.layer.\(name){fill:var(--\(name))}.swatch.\(name){color:var(--\(name))}"
        }.joined() + ".st.st-idle{stroke:var(--rule)}"
    }

    static func page(title: String, body: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <meta name="referrer" content="no-referrer"><title>\(Markup.line(title))</title>
        <style>\(css)</style></head><body>
        \(body)</body></html>

        """
    }
}
