/*
 * Logs the coming end of server certificates, roots for clients, revocation lists and their signers' certificates: a week
 * before, a day before, and when the end has come. Each end is logged once at each of these stages, in one line for all
 * hosts that share the thing.
 */
#ifndef COMMAND_EXPIRY_H
#define COMMAND_EXPIRY_H

#include "config/config.h"

enum expiry_kind {
    EXPIRY_CERTIFICATE,
    EXPIRY_ROOT,
    EXPIRY_LIST,
    EXPIRY_LIST_ACCEPTED, /* crl_stale: accept */
    EXPIRY_SIGNER,        /* signs lists in its CA's name */
    EXPIRY_ORIGIN_ROOT,   /* of origin_tls.ca */
    EXPIRY_EDGE,          /* the certificate of origin_tls, for its origins */
};

/* How near an end is, and up to which stage it was logged. */
enum expiry_stage { EXPIRY_FAR, EXPIRY_WEEK, EXPIRY_DAY, EXPIRY_OVER };

enum {
    EXPIRY_WEEK_S = 7 * 86400,
    EXPIRY_DAY_S = 86400,
    EXPIRY_WAIT_MAX_S = 60, /* since the clock may be set */
    EXPIRY_LINE_SIZE = 1024,
};

struct expiry_item {
    enum expiry_kind kind;
    char *host;  /* this and the next are owned */
    char *name;  /* a file, a subject, an issuer */
    int64_t end; /* the last second in which the thing is valid, since the epoch */
    enum expiry_stage told;
};

struct expiry {
    struct expiry_item *items; /* sorted by kind, name, end and host */
    size_t count;
    size_t capacity;
};

/*
 * Gathers all ends in `config`; nothing was logged about any of them. `now_s`: see terms_of_lists. 0, or -ENOMEM and
 * `expiry` is empty.
 */
int expiry_read(struct expiry *expiry, const struct config *config, int64_t now_s);
/* Adds one item; the texts are copied. Adds nothing for an end of TERM_NEVER. 0 or -ENOMEM. Before expiry_sort. */
int expiry_add(struct expiry *expiry, enum expiry_kind kind, const char *host, const char *name, int64_t end);
/* Sorts the items, after the last one was added. */
void expiry_sort(struct expiry *expiry);
void expiry_free(struct expiry *expiry);

/*
 * Takes over from `before`, as after a reload, which stages were logged: a thing of the same kind, host and name is not
 * logged again at the same stage, not even when it was renewed for as short a time. But a thing that has ended is logged
 * again: the reload has not helped.
 */
void expiry_take_over(struct expiry *expiry, const struct expiry *before);

/*
 * Calls `tell` with a line for each thing that has reached a stage which was not logged for it yet. `now_s` since the epoch.
 */
void expiry_tell(struct expiry *expiry, int64_t now_s, void (*tell)(const char *line));
/* Returns how long until something may reach its next stage: 1 to EXPIRY_WAIT_MAX_S. */
unsigned expiry_wait_s(const struct expiry *expiry, int64_t now_s);

#endif
