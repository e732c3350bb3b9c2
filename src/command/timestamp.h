/* Points in time as people type them. */
#ifndef COMMAND_TIMESTAMP_H
#define COMMAND_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads RFC 3339, as 2026-11-24T02:26:00Z or 2026-11-24T03:26:00+01:00; letters in either case, a fraction is allowed and
 * cut off. No leap seconds. True with *seconds since the epoch.
 */
bool timestamp_parse(const char *text, int64_t *seconds);

#endif
