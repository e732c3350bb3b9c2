/*
 * The verdict on a server whose client this server is, an origin: its chain is judged as a client's is (path/path.h), but
 * for serverAuth, and its leaf has to be for the name that is expected (RFC 9525).
 */
#ifndef IDENTITY_SERVER_VERDICT_H
#define IDENTITY_SERVER_VERDICT_H

#include "base/reason.h"
#include "path/trust.h"

enum { SERVER_ADDRESS_MAX = 16, SERVER_DETAIL_SIZE = 320 };

/* The server that is expected. */
struct server_expectation {
    const struct trust *trust;           /* the roots, one of which has issued its chain */
    const char *name;                    /* its DNS name; NULL: it is known by its address */
    uint8_t address[SERVER_ADDRESS_MAX]; /* then: IPv4 or IPv6 */
    uint8_t address_size;                /* 4 or 16 */
};

struct server_verdict {
    enum reason reason;              /* of the chain */
    bool is_named;                   /* its leaf is for the name or address; false unless the reason is REASON_OK */
    int64_t until;                   /* the last second for which the chain holds, since the epoch; of a good verdict */
    char detail[SERVER_DETAIL_SIZE]; /* why the verdict is not good, for people: printable UTF-8, no full stop at its end */
};

/*
 * Judges the certificates that a server has presented, its own first. `too_large`: there were more, which were not kept.
 * `now` is in seconds since the epoch.
 */
void server_judge(const struct server_expectation *expected, const struct bytes *certificates, size_t count, bool too_large,
                  int64_t now, struct server_verdict *verdict);

#endif
