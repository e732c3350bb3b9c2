/*
 * Sources of connections, and how they have behaved. A source is an IPv4 address, or the /64 of an IPv6 address, which is
 * what one subscriber has (RFC 6177). One table of a fixed size for the process, shared by all shards; the caller gives the
 * clock.
 *
 * No client can choose its entry: the hash is keyed (base/hash.h: hash_init comes first), a look-up reads one set of
 * SOURCES_WAYS entries, and the whole prefix is compared. A source with open connections keeps its entry. Of the others the
 * one that was seen longest ago makes room; known sources make room last. When open connections hold a whole set, a new
 * source is not tracked: it has no bounds, and nothing is known of it.
 */
#ifndef GUARD_SOURCES_H
#define GUARD_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    SOURCES_WAYS = 8,
    SOURCES_ENTRY_SIZE = 64,       /* bytes */
    SOURCES_KNOWN_S = 6 * 60 * 60, /* for which a valid certificate makes its source known */
    SOURCES_FAILURE_HALF_LIFE_S = 8,
    SOURCES_SUSPECT_FAILURES = 4,    /* recent failures that make a source a suspect */
    SOURCES_KNOWN_FAILURES_MAX = 32, /* recent failures from which a source with a valid certificate is not known any more */
    SOURCES_FAILURES_MAX = 128,      /* at most counted, so that a source without new ones is no suspect after 48 s */
    SOURCES_VOUCHED_HALF_LIFE_S = 600, /* of the count of clients that have shown certificates, for the bounds below */
    SOURCES_VOUCHED_MAX = 1 << 20,
    SOURCES_WAITING_FRONT = 2,      /* hellos of one source that do not count as further ones; more for many clients */
    SOURCES_WORK_MILLE = 100,       /* handshakes of a known source: thousandths of a core for one client, */
    SOURCES_WORK_EACH_MILLE = 20,   /* and for each further client that has shown a certificate of its own lately, */
    SOURCES_WORK_FAIR_MILLE = 2000, /* or twice an equal share for each known source that takes any, if this is more */
};

struct sources;

enum source_standing {
    SOURCE_KNOWN,   /* a client with a valid certificate was there lately */
    SOURCE_UNKNOWN, /* nothing is known of it */
    SOURCE_SUSPECT, /* it has failed lately, and no client there had a valid certificate */
};

/*
 * The limits of one source; 0 is no limit. The rate holds only for sources that are not known. Thousands of clients may be
 * behind one address: connections whose clients have shown valid certificates do not count, and a known source may have one
 * more connection without a valid certificate for each client that has shown one lately.
 */
struct source_limits {
    uint32_t rate;        /* connections a second, in the long run, up to 100,000 */
    uint32_t burst;       /* connections at once, up to 1,000,000; at least 1 where there is a rate */
    uint32_t connections; /* open at the same time, up to UINT16_MAX */
};

enum source_arrival {
    SOURCE_ADMITTED,
    SOURCE_OVER_RATE,
    SOURCE_OVER_CONNECTIONS,
};

#define SOURCE_UNTRACKED UINT32_MAX

/*
 * Makes a table of at least `entries` (1 to 2^26), SOURCES_ENTRY_SIZE bytes each, backed by memory as they are first used.
 * NULL when out of memory.
 */
struct sources *sources_create(size_t entries);
/* NULL is allowed. */
void sources_free(struct sources *sources);

/*
 * Counts a new connection. SOURCE_ADMITTED: `*source` stands for its source until sources_leave, which must be called with
 * it; all calls take SOURCE_UNTRACKED too. Any other result: the connection is not counted. `*standing` is set in any case.
 * `now_ms` is of one clock for all calls; callers may have read it a little earlier than others.
 */
enum source_arrival sources_arrive(struct sources *sources, const struct sockaddr *peer, const struct source_limits *limits,
                                   uint64_t now_ms, uint32_t *source, enum source_standing *standing);
void sources_leave(struct sources *sources, uint32_t source);

/*
 * Note what a connection of the source has shown. sources_prove: a valid certificate. `vouches`: the certificate has not
 * been shown for a while, and half of the failures are forgiven for it; otherwise one client could make up for any number of
 * failures. sources_fail: something that no legitimate client does; it counts as `weight` failures, 1 to
 * SOURCES_SUSPECT_FAILURES.
 */
void sources_prove(struct sources *sources, uint32_t source, bool vouches, uint64_t now_ms);
void sources_fail(struct sources *sources, uint32_t source, uint32_t weight, uint64_t now_ms);
enum source_standing sources_standing(struct sources *sources, uint32_t source, uint64_t now_ms);

/*
 * Takes the connection of a client with a valid certificate out of the count of its source, until sources_discredit, which
 * must come before its sources_leave. `vouches`: the certificate has not been shown for a while, so one more client is
 * there. `first`, the same for both calls: no other connection of its certificate was open. Connections of one device are
 * one client.
 */
void sources_credit(struct sources *sources, uint32_t source, bool vouches, bool first, uint64_t now_ms);
void sources_discredit(struct sources *sources, uint32_t source, bool first, uint64_t now_ms);

/*
 * Counts the time, in nanoseconds, that handshakes of a known source have taken of `cores` cores. The source may take
 * SOURCES_WORK_MILLE and so on of each core over a second, up to all the cores; sources_has_work tells whether any of this
 * time is left.
 */
void sources_spend(struct sources *sources, uint32_t source, uint64_t spent_ns, unsigned cores, uint64_t now_ms);
bool sources_has_work(struct sources *sources, uint32_t source, unsigned cores, uint64_t now_ms);

/*
 * Counts one more hello of the source that waits. False, and not counted, when `max` wait already; for a known source the
 * bound is higher by the number of its recent clients. Each hello that is counted must end its wait.
 */
bool sources_begin_wait(struct sources *sources, uint32_t source, uint32_t max, uint64_t now_ms);
/*
 * Returns whether further hellos of the source wait behind the first ones of other sources: those beyond a few, and a
 * quarter of its recent clients.
 */
bool sources_waits_behind(struct sources *sources, uint32_t source, uint64_t now_ms);
void sources_end_wait(struct sources *sources, uint32_t source);

#endif
