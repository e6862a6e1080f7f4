#include "pages.h"

/* Bytes alone. The C compiler takes them as they are, where Swift's takes half a minute for an array of them. The paths
   are relative to this file; a changed file is embedded anew by the next build. */

#pragma clang diagnostic ignored "-Wc23-extensions"

#define PAGE_FILE(name) \
    struct rejoinder_file name(void) { return (struct rejoinder_file){name##_bytes, sizeof name##_bytes}; }

static const unsigned char rejoinder_dashboard_html_bytes[] = {
#embed "../Pages/Dashboard/dashboard.html"
};
PAGE_FILE(rejoinder_dashboard_html)

static const unsigned char rejoinder_palette_css_bytes[] = {
#embed "../Pages/Dashboard/palette.css"
};
PAGE_FILE(rejoinder_palette_css)

static const unsigned char rejoinder_style_css_bytes[] = {
#embed "../Pages/Dashboard/style.css"
};
PAGE_FILE(rejoinder_style_css)

static const unsigned char rejoinder_question_css_bytes[] = {
#embed "../Pages/Dashboard/question.css"
};
PAGE_FILE(rejoinder_question_css)

static const unsigned char rejoinder_main_js_bytes[] = {
#embed "../Pages/Dashboard/main.js"
};
PAGE_FILE(rejoinder_main_js)

static const unsigned char rejoinder_live_js_bytes[] = {
#embed "../Pages/Dashboard/live.js"
};
PAGE_FILE(rejoinder_live_js)

static const unsigned char rejoinder_chart_js_bytes[] = {
#embed "../Pages/Dashboard/chart.js"
};
PAGE_FILE(rejoinder_chart_js)

static const unsigned char rejoinder_scale_js_bytes[] = {
#embed "../Pages/Dashboard/scale.js"
};
PAGE_FILE(rejoinder_scale_js)

static const unsigned char rejoinder_panels_js_bytes[] = {
#embed "../Pages/Dashboard/panels.js"
};
PAGE_FILE(rejoinder_panels_js)

static const unsigned char rejoinder_verdict_js_bytes[] = {
#embed "../Pages/Dashboard/verdict.js"
};
PAGE_FILE(rejoinder_verdict_js)

static const unsigned char rejoinder_format_js_bytes[] = {
#embed "../Pages/Dashboard/format.js"
};
PAGE_FILE(rejoinder_format_js)

static const unsigned char rejoinder_icon_svg_bytes[] = {
#embed "../Pages/Dashboard/icon.svg"
};
PAGE_FILE(rejoinder_icon_svg)

static const unsigned char rejoinder_report_css_bytes[] = {
#embed "../Pages/report.css"
};
PAGE_FILE(rejoinder_report_css)

static const unsigned char rejoinder_runbook_md_bytes[] = {
#embed "../Pages/runbook.md"
};
PAGE_FILE(rejoinder_runbook_md)
