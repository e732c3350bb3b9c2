/*
 * Look-ups of the addresses of names: in /etc/hosts first, then at the servers of /etc/resolv.conf, or others. By c-ares,
 * which does what is due whenever it is turned, and never blocks but to read these files.
 */
#ifndef DNS_LOOKUP_H
#define DNS_LOOKUP_H

#include "dns/set.h"

#include <stdint.h>

enum {
    /* c-ares asks each server so often, waits so long for the first answer, and twice as long with each try. */
    DNS_TRIES = 3,
    DNS_TIMEOUT_MS = 2000,
};

enum dns_result {
    DNS_OK,
    DNS_NOT_FOUND, /* there is no such name, or it has no address */
    DNS_FAILED,    /* servers cannot be reached, or say that they cannot answer, or not to us; or memory is short here */
    DNS_TIMED_OUT, /* no server has answered */
    DNS_MALFORMED, /* an answer, or the name itself, breaks the rules of DNS */
    DNS_RESULT_COUNT
};

/* A few words for messages, such as "there is no such name". */
const char *dns_result_text(enum dns_result result);

/* The look-ups that are under way at one time. */
struct dns;

/* A question for records of one type, of which the answer comes as it is. Its memory is the caller's. */
struct dns_question {
    /* Called once with the result and, if that is DNS_OK, with the server's message, which is valid during the call. */
    void (*answered)(struct dns_question *question, enum dns_result result, const uint8_t *answer, size_t size);
    struct dns *dns; /* the question's own */
};

/* One look-up. Its memory is the caller's. */
struct dns_lookup {
    /* Called once the look-up is over. May begin another one. */
    void (*done)(struct dns_lookup *lookup, enum dns_result result);
    struct dns_set found; /* the caller frees it: in done(), or once the look-up has ended */
    uint32_t ttl_s;       /* the shortest of all records */
    sa_family_t lacks;    /* of one of the two families the look-up has failed, so that `found` has none; 0: of none */
    /* The look-up's own. */
    struct dns *dns;
    unsigned waiting; /* answers that are to come */
    enum dns_result ipv4;
    enum dns_result ipv6;
};

/* Reads the files anew. `servers`: "address:port" with commas between them; NULL: those of the file. NULL: out of memory. */
struct dns *dns_create(const char *servers);
/* Ends all look-ups, of which none is told; what they have found so far is theirs. NULL is allowed. */
void dns_free(struct dns *dns);
/*
 * Begins to look up a name, which need not stay. May be done before this returns. All members but `done` are set by it: what
 * `found` had must be freed or given away.
 */
void dns_lookup_begin(struct dns *dns, struct dns_lookup *lookup, const char *name, uint16_t port);
/* Asks the servers for records of a name. May be answered before this returns. */
void dns_ask(struct dns *dns, struct dns_question *question, const char *name, int type);
/*
 * Waits until there is something to do, `wake` can be read (-1: none), or `wait_ms` (-1: for ever) are over. Does what is
 * due.
 */
void dns_turn(struct dns *dns, int wake, int wait_ms);

#endif
