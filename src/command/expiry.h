/*
 * Tells the log ahead of what ends: server certificates, roots for clients, revocation lists and those who sign them, a week
 * before, a day before, and when they have ended. Each is told once at each of these, one line for all hosts that share it.
 */
#ifndef COMMAND_EXPIRY_H
#define COMMAND_EXPIRY_H

#include "config/config.h"

enum expiry_kind {
    EXPIRY_CERTIFICATE,
    EXPIRY_ROOT,
    EXPIRY_LIST,
    EXPIRY_LIST_ACCEPTED, /* crl_stale: accept */
    EXPIRY_SIGNER,        /* of lists, in its CA's name */
};

/* How near an end is; how much of it was told. */
enum expiry_stage { EXPIRY_FAR, EXPIRY_WEEK, EXPIRY_DAY, EXPIRY_OVER };

enum {
    EXPIRY_WEEK_S = 7 * 86400,
    EXPIRY_DAY_S = 86400,
    EXPIRY_WAIT_MAX_S = 60, /* the clock may be set */
    EXPIRY_LINE_SIZE = 1024,
};

struct expiry_item {
    enum expiry_kind kind;
    char *host;  /* this and the next are owned */
    char *name;  /* a file, a subject, an issuer */
    int64_t end; /* the last second that it is good for, since the epoch */
    enum expiry_stage told;
};

struct expiry {
    struct expiry_item *items; /* by kind, name, end and host */
    size_t count;
    size_t capacity;
};

/* All that ends in `config`, of which nothing was told. `now_s`: see terms_of_lists. 0, or -ENOMEM and there is none. */
int expiry_read(struct expiry *expiry, const struct config *config, int64_t now_s);
/* One more; the texts are copied. Nothing is added for an end of TERM_NEVER. 0 or -ENOMEM. Before expiry_sort. */
int expiry_add(struct expiry *expiry, enum expiry_kind kind, const char *host, const char *name, int64_t end);
/* After the last one. */
void expiry_sort(struct expiry *expiry);
void expiry_free(struct expiry *expiry);

/*
 * `expiry` replaces `before`, as after a reload: what was told of a thing of that kind, host and name is not told again,
 * also when it was renewed for a while that is as short. But what has ended is: the reload has not helped.
 */
void expiry_take_over(struct expiry *expiry, const struct expiry *before);

/* Calls `tell` with a line for each thing that has come nearer to its end than was told of it. `now_s` since the epoch. */
void expiry_tell(struct expiry *expiry, int64_t now_s, void (*tell)(const char *line));
/* How long until there is more to tell, EXPIRY_WAIT_MAX_S at most; at least 1. */
unsigned expiry_wait_s(const struct expiry *expiry, int64_t now_s);

#endif
