/* The dashboard: one page with all that it needs, made at build time of what is in stats/dashboard/. It reads /stats.json.
 */
#ifndef STATS_DASHBOARD_H
#define STATS_DASHBOARD_H

#include "base/bytes.h"

/* HTML in UTF-8, static. */
struct bytes dashboard_page(void);
/* The Content-Security-Policy that lets its own script and style run, and nothing else. A static text. */
const char *dashboard_policy(void);

#endif
