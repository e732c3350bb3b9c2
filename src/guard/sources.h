/*
 * Where connections come from, and how that place has behaved: an IPv4 address, or the /64 of an IPv6 one, which is what one
 * subscriber is given (RFC 6177). One table of a fixed size for the process, shared by all shards; clocks are given.
 *
 * Nobody can aim at a place in it: the hash is keyed (base/hash.h: hash_init comes first), a look-up reads one set of
 * SOURCES_WAYS entries, and equality is of the whole prefix. A source with open connections keeps its entry. Of the others
 * the one that was seen longest ago makes room, those that have proved themselves last. When a whole set is held by open
 * connections, a new source is not tracked: nothing bounds it, and nothing is known of it.
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
    SOURCES_KNOWN_S = 6 * 60 * 60, /* how long a valid certificate speaks for its source */
    SOURCES_FAILURE_HALF_LIFE_S = 8,
    SOURCES_SUSPECT_FAILURES = 4,      /* of late, from which on a source is a suspect */
    SOURCES_KNOWN_FAILURES_MAX = 32,   /* of late, from which on a valid certificate does not speak for it any more */
    SOURCES_FAILURES_MAX = 128,        /* counted: one who has stopped is no suspect after 48 s */
    SOURCES_VOUCHED_HALF_LIFE_S = 600, /* of what the clients there have shown, for the bounds below */
    SOURCES_VOUCHED_MAX = 1 << 20,
    SOURCES_WAITING_FRONT = 2,    /* hellos of one source that do not count as further ones; more for many clients */
    SOURCES_WORK_MILLE = 100,     /* handshakes of a known source: thousandths of a core for one client, */
    SOURCES_WORK_EACH_MILLE = 20, /* and for each further one that has shown a certificate of its own lately, */
    SOURCES_WORK_FAIR_MILLE =
        2000, /* or twice an equal share for each of the known sources that take any, if that is more */
};

struct sources;

enum source_standing {
    SOURCE_KNOWN,   /* a client with a valid certificate was there lately */
    SOURCE_UNKNOWN, /* nothing is known of it */
    SOURCE_SUSPECT, /* it has failed lately, and has nothing to show for itself */
};

/*
 * The limits of one source; 0 is no limit. The rate holds only for sources that are not known. One address may have
 * thousands of clients behind it: connections whose clients have shown valid certificates do not count, and a known source
 * may have one more connection without a valid certificate for each client that has shown one lately.
 */
struct source_limits {
    uint32_t rate;        /* connections a second, in the long run, up to 100,000 */
    uint32_t burst;       /* and at once, up to 1,000,000; at least 1 where there is a rate */
    uint32_t connections; /* open at the same time, up to UINT16_MAX */
};

enum source_arrival {
    SOURCE_ADMITTED,
    SOURCE_OVER_RATE,
    SOURCE_OVER_CONNECTIONS,
};

#define SOURCE_UNTRACKED UINT32_MAX

/* At least `entries` (1 to 2^26), SOURCES_ENTRY_SIZE bytes each, backed by memory as they are first used. NULL when out of
 * memory. */
struct sources *sources_create(size_t entries);
/* NULL is allowed. */
void sources_free(struct sources *sources);

/*
 * A connection has come. SOURCE_ADMITTED: `*source` stands for where it came from, until sources_leave, to which it must
 * be given; SOURCE_UNTRACKED may be given to all calls. Else it counts for nothing. `*standing` is set in any case.
 * `now_ms` is of one clock for all calls; callers may have read it a little before others did.
 */
enum source_arrival sources_arrive(struct sources *sources, const struct sockaddr *peer, const struct source_limits *limits,
                                   uint64_t now_ms, uint32_t *source, enum source_standing *standing);
void sources_leave(struct sources *sources, uint32_t source);

/*
 * What a connection of it has shown: a valid certificate, or something that no client of ours does, which counts as `weight`
 * failures, 1 to SOURCES_SUSPECT_FAILURES. `vouches`: it is a certificate that has not been shown for a while, and half of
 * the failures are forgiven for it; else one client could pay for any number of them.
 */
void sources_prove(struct sources *sources, uint32_t source, bool vouches, uint64_t now_ms);
void sources_fail(struct sources *sources, uint32_t source, uint32_t weight, uint64_t now_ms);
enum source_standing sources_standing(struct sources *sources, uint32_t source, uint64_t now_ms);

/*
 * A connection's client has shown a valid certificate, which is worth a place: until sources_discredit, which must come
 * before its sources_leave. `vouches`: it is one that has not done so for a while, so that another client is there. `first`,
 * the same for both calls: no other connection of its certificate was open. Connections of one device are one client.
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
 * One more of its hellos wants to wait; false when `max` do so already, of a known source as many more as it has clients of
 * late. Each that may must end its wait.
 */
bool sources_begin_wait(struct sources *sources, uint32_t source, uint32_t max, uint64_t now_ms);
/* Whether more of them wait than go before further ones of other sources: a few, and a quarter of its clients of late. */
bool sources_waits_behind(struct sources *sources, uint32_t source, uint64_t now_ms);
void sources_end_wait(struct sources *sources, uint32_t source);

#endif
