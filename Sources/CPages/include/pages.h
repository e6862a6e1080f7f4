#ifndef REJOINDER_CPAGES_H
#define REJOINDER_CPAGES_H

#include <stddef.h>

/* A file of Sources/Pages: its bytes, for the life of the process. */
struct rejoinder_file {
    const unsigned char *_Nonnull bytes;
    size_t count;
};

struct rejoinder_file rejoinder_dashboard_html(void);
struct rejoinder_file rejoinder_palette_css(void);
struct rejoinder_file rejoinder_style_css(void);
struct rejoinder_file rejoinder_question_css(void);
struct rejoinder_file rejoinder_main_js(void);
struct rejoinder_file rejoinder_live_js(void);
struct rejoinder_file rejoinder_chart_js(void);
struct rejoinder_file rejoinder_scale_js(void);
struct rejoinder_file rejoinder_panels_js(void);
struct rejoinder_file rejoinder_verdict_js(void);
struct rejoinder_file rejoinder_format_js(void);
struct rejoinder_file rejoinder_icon_svg(void);
struct rejoinder_file rejoinder_report_css(void);
struct rejoinder_file rejoinder_runbook_md(void);

#endif
