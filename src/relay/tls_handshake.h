/*
 * The outcome of a handshake with an origin, beside the bytes: the verdict on its certificates and the alert for it, whether
 * it has agreed on what it has to, how its end counts, and how long a session may be resumed.
 */
#ifndef RELAY_TLS_HANDSHAKE_H
#define RELAY_TLS_HANDSHAKE_H

#include "relay/fault.h"
#include "relay/tls_origin.h"
#include "stats/labels.h"

enum { TLS_HANDSHAKE_DETAIL_SIZE = SERVER_DETAIL_SIZE + 64 };

/* Zeroed but for the origin before it begins. */
struct tls_handshake {
    struct tls_origin *origin;
    int64_t until; /* how long what the handshake has shown holds, seconds since the epoch */
    bool has_ended;
    enum stats_origin_handshake outcome; /* if has_ended */
};

/*
 * Begins one with `origin`, which must be set and outlive it. Returns what its session may resume, which is there until the
 * next tls_handshake_keep of the same origin, or NULL.
 */
const struct tls_resumption *tls_handshake_begin(struct tls_handshake *handshake);

/*
 * Judges the certificates that the origin has shown, as judge() of tls/origin_session.h: returns TLS_ORIGIN_ACCEPTED, or the
 * alert for them (RFC 8446 section 6.2). Then `detail` says why, for people, and the handshake counts as ended by that.
 */
int tls_handshake_judge(struct tls_handshake *handshake, const struct tls_peer_chain *chain,
                        char detail[static TLS_HANDSHAKE_DETAIL_SIZE]);
/* The session has completed it. False: in vain, since the origin, which has to, does not agree on h2. */
bool tls_handshake_complete(struct tls_handshake *handshake, const struct tls_origin_session *session);
/*
 * The handshake has failed, or the connection has ended in it. Returns the fault: RELAY_FAULT_TLS_CERTIFICATE or _NAME if
 * tls_handshake_judge has refused, else RELAY_FAULT_TLS_HANDSHAKE.
 */
enum relay_fault tls_handshake_fail(struct tls_handshake *handshake);

/* Keeps for the origin what the session has been given to resume, if anything: when it is complete, and after each read. */
void tls_handshake_keep(const struct tls_handshake *handshake, struct tls_origin_session *session);

#endif
