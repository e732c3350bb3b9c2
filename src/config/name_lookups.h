/*
 * The look-ups of a file's origins that are names or services: all at the same time, before its hosts are loaded, so that a
 * load waits as long as its slowest name takes.
 */
#ifndef CONFIG_NAME_LOOKUPS_H
#define CONFIG_NAME_LOOKUPS_H

#include "config/document.h"
#include "config/surroundings.h"
#include "dns/lookup.h"

enum {
    NAME_LOOKUPS_MAX_MS = 15 * 1000,  /* for all of them: what is not answered by then has timed out */
    NAME_LOOKUPS_QUIET_MS = 1 * 1000, /* after which the log says what is waited for */
    NAME_LOOKUPS_AT_ONCE = 64,
};

struct name_lookups;

struct name_answer {
    enum dns_result result;
    bool stopped;         /* the look-up was ended from outside before there was an answer */
    struct dns_set found; /* owned by the look-ups */
    bool known;     /* there is no address, but the server that reads the file anew has the name: see name_lookups_run */
    uint32_t ttl_s; /* how long the answer holds */
};

/*
 * Looks up what `hosts`, the list of the file or NULL, has as addresses of origins, each text once; texts with a fault are
 * passed over. `hosts` must outlive the look-ups. `dns_servers` may be NULL. A name that fails keeps the addresses that the
 * surroundings know, which may be none, and a service that is known and is not offered any more has none.
 */
struct name_lookups *name_lookups_run(const struct document_node *hosts, const char *dns_servers,
                                      const struct config_surroundings *surroundings);
/* Returns the answer for the text of an origin; NULL if it was not looked up. */
const struct name_answer *name_lookups_find(const struct name_lookups *lookups, const char *text);
/* NULL is allowed. */
void name_lookups_free(struct name_lookups *lookups);

#endif
