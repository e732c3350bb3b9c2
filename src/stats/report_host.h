/* The part of /stats.json that is about hosts, which docs/stats.md describes. */
#ifndef STATS_REPORT_HOST_H
#define STATS_REPORT_HOST_H

#include "base/json.h"
#include "stats/hosts.h"

static inline void report_text(struct json *json, const char *key, const char *text) {
    json_string(json, key, bytes_of_string(text));
}
/* Writes the member "hosts", an array. `hosts` may be NULL. */
void report_hosts(struct json *json, const struct stats_hosts *hosts);
/* Writes counts of requests by the code of their answer, as an object without the codes that did not occur. */
void report_codes(struct json *json, const char *key, const uint64_t counts[static STATS_CODES]);

#endif
