#include "edge/verdict.h"

#include "base/check.h"
#include "base/clock.h"
#include "guard/hello.h"

#include <string.h>

_Static_assert(TLS_TICKET_BINDING_SIZE == 2 * IDENTITY_DIGEST_SIZE,
               "a ticket is bound to a host's scope and a chain's digest");

/* The digest of no chain. */
static const uint8_t no_chain[IDENTITY_DIGEST_SIZE];

static const struct identity_policy *policy_of(const struct connection *connection) {
    return &connection->host->policy;
}

static void forget_chain(struct connection *connection) {
    if (connection->chain != NULL) {
        pieces_give(&connection->shard->pieces, connection->chain, connection->chain_size);
        connection->chain = NULL;
        connection->chain_size = 0;
    }
}

/* All that is known of the client: what a ticket stood for that came to nothing. */
static void forget(struct connection *connection) {
    identity_release(connection->identity);
    connection->identity = NULL;
    connection->by_ticket = false;
    connection->is_new = false;
    memset(connection->chain_digest, 0, sizeof connection->chain_digest);
    forget_chain(connection);
}

void verdict_release(struct connection *connection) {
    forget(connection);
}

/* In one piece with a size before each certificate, so that the verdict can be reached anew. False: out of memory. */
static bool keep_chain(struct connection *connection, const struct tls_peer_chain *chain) {
    size_t size = 0;
    uint8_t *next;

    for (size_t i = 0; i < chain->count; i++) {
        size += sizeof(uint32_t) + chain->certificates[i].size;
    }
    connection->chain = pieces_take(&connection->shard->pieces, size);
    if (connection->chain == NULL) {
        return false;
    }
    connection->chain_size = (uint32_t)size;
    next = connection->chain;
    for (size_t i = 0; i < chain->count; i++) {
        uint32_t part = (uint32_t)chain->certificates[i].size;

        memcpy(next, &part, sizeof part);
        memcpy(next + sizeof part, chain->certificates[i].data, part);
        next += sizeof part + part;
    }
    return true;
}

static size_t kept_chain(const struct connection *connection, struct bytes certificates[static TLS_PEER_CHAIN_MAX]) {
    size_t count = 0;

    for (uint32_t at = 0; at < connection->chain_size; count++) {
        uint32_t part;

        CHECK(count < TLS_PEER_CHAIN_MAX && connection->chain_size - at >= sizeof part);
        memcpy(&part, connection->chain + at, sizeof part);
        at += (uint32_t)sizeof part;
        CHECK(connection->chain_size - at >= part);
        certificates[count] = bytes_of(connection->chain + at, part);
        at += part;
    }
    return count;
}

static void record(struct connection *connection, enum stats_path path, uint64_t started_ns) {
    stats_time(connection->shard->stats, path == STATS_CACHED ? STATS_VERIFY_CACHED : STATS_VERIFY_FULL,
               clock_monotonic_ns() - started_ns);
}

static struct identity *look_up_or_judge(struct connection *connection, const struct bytes *certificates, size_t count,
                                         bool too_large) {
    uint64_t started_ns = clock_monotonic_ns();
    bool cached;
    struct identity *identity = identity_cache_judge(connection->shard->cache, policy_of(connection), certificates, count,
                                                     too_large, clock_wall_seconds(), connection->chain_digest, &cached);

    connection->is_new = !cached;
    record(connection, cached ? STATS_CACHED : STATS_JUDGED, started_ns);
    return identity;
}

bool verdict_judge(struct connection *connection, const struct tls_peer_chain *chain) {
    if (connection->by_ticket) {
        forget(connection);
    }
    if (connection->identity != NULL) {
        return true;
    }
    connection->identity = look_up_or_judge(connection, chain->certificates, chain->count, chain->too_large);
    if (connection->identity == NULL) {
        return false;
    }
    return chain->count == 0 || chain->too_large || keep_chain(connection, chain);
}

/*
 * Whether the client may have what a valid certificate earns: it has shown that it has the key, in this handshake or in that
 * of its ticket. A certificate whose key cannot show it is never valid; this holds it, whatever else is wrong.
 */
static bool is_earned(const struct connection *connection, const struct identity *identity) {
    return identity->status != STATUS_VALID || connection->by_ticket || tls_session_is_proved(connection->tls);
}

static void remember(struct connection *connection) {
    if (connection->is_new && connection->identity->status == STATUS_VALID) {
        identity_cache_insert(connection->shard->cache, policy_of(connection), connection->chain_digest,
                              connection->identity);
    }
    connection->is_new = false;
}

bool verdict_settle(struct connection *connection, bool resumed) {
    if (resumed && !connection->by_ticket) {
        return false;
    }
    if (connection->by_ticket && !resumed) {
        forget(connection);
    }
    if (connection->identity == NULL) {
        connection->identity = identity_retain(connection->site->absent[connection->host->index]);
    }
    if (!is_earned(connection, connection->identity)) {
        return false;
    }
    remember(connection);
    return true;
}

static struct identity *judge_anew(struct connection *connection) {
    struct bytes certificates[TLS_PEER_CHAIN_MAX];

    /* Who was never asked has shown nothing, and who is not asked any more need not have. */
    if (connection->host->mode == CONFIG_OFF || connection->identity->reason == REASON_ABSENT) {
        forget_chain(connection);
        return identity_retain(connection->site->absent[connection->host->index]);
    }
    if (connection->chain == NULL) { /* it was too large to be kept */
        return look_up_or_judge(connection, NULL, 0, true);
    }
    return look_up_or_judge(connection, certificates, kept_chain(connection, certificates), false);
}

const struct identity *verdict_now(struct connection *connection) {
    int64_t now = clock_wall_seconds();
    struct identity *anew;

    if (!connection->verdict_stale && now >= connection->identity->valid_from && now <= connection->identity->valid_until) {
        return connection->identity;
    }
    anew = judge_anew(connection);
    if (anew == NULL) {
        return NULL;
    }
    if (!is_earned(connection, anew)) {
        identity_release(anew);
        return NULL;
    }
    identity_release(connection->identity);
    connection->identity = anew;
    connection->verdict_stale = false;
    connection->verdict_lost = connection->host->mode == CONFIG_ENFORCE && anew->status != STATUS_VALID;
    remember(connection);
    return anew;
}

void verdict_policy_changed(struct connection *connection, const struct config_host *before) {
    if (memcmp(before->ticket_scope, connection->host->ticket_scope, sizeof before->ticket_scope) != 0) {
        connection->verdict_stale = true;
    }
}

/* Within which a ticket is good: this host under this policy, and this very name (RFC 6066 section 3). */
static void find_scope(const struct connection *connection, uint8_t scope[static IDENTITY_DIGEST_SIZE]) {
    uint8_t both[IDENTITY_DIGEST_SIZE + HELLO_NAME_MAX];
    size_t name_size = strlen(connection->name);

    memcpy(both, connection->host->ticket_scope, IDENTITY_DIGEST_SIZE);
    if (connection->name == connection->host->name) {
        memcpy(scope, both, IDENTITY_DIGEST_SIZE);
        return;
    }
    CHECK(name_size <= HELLO_NAME_MAX);
    memcpy(both + IDENTITY_DIGEST_SIZE, connection->name, name_size);
    signature_sha256(bytes_of(both, IDENTITY_DIGEST_SIZE + name_size), scope);
}

/*
 * Whom a ticket is worth while: clients that are known, and those without a certificate where that lets them through. Who
 * could do better with another certificate is to be asked for it each time.
 */
static bool may_resume(const struct connection *connection) {
    if (connection->identity == NULL) {
        return connection->host->mode != CONFIG_ENFORCE;
    }
    return (connection->identity->status == STATUS_VALID && is_earned(connection, connection->identity)) ||
           (connection->identity->status == STATUS_NONE && connection->host->mode != CONFIG_ENFORCE);
}

/* Where it will be found by who resumes. */
static void log_chain(const struct connection *connection) {
    uint32_t part;
    size_t leaf_size;

    memcpy(&part, connection->chain, sizeof part);
    leaf_size = sizeof part + part;
    chain_log_put(connection->shard->chains, connection->chain_digest, bytes_of(connection->chain, leaf_size),
                  bytes_of(connection->chain + leaf_size, connection->chain_size - leaf_size));
}

bool verdict_bind_ticket(void *owner, bool resumed, uint8_t binding[static TLS_TICKET_BINDING_SIZE]) {
    struct connection *connection = owner;
    const struct tls_peer_chain *chain = resumed ? NULL : tls_session_peer_chain(connection->tls);

    if (connection->by_ticket && !resumed) {
        forget(connection);
    }
    if (!connection->resumable || (chain != NULL && !verdict_judge(connection, chain)) || !may_resume(connection)) {
        return false;
    }
    if (connection->chain != NULL) {
        log_chain(connection);
    }
    find_scope(connection, binding);
    memcpy(binding + IDENTITY_DIGEST_SIZE, connection->chain_digest, IDENTITY_DIGEST_SIZE);
    return true;
}

/* The chain of who resumes, so that a later change of policy can judge it. */
static bool recall_chain(struct connection *connection, const uint8_t *digest) {
    struct shard *shard = connection->shard;
    size_t size = chain_log_get(shard->chains, digest, NULL, 0);

    if (size == 0) {
        return false;
    }
    connection->chain = pieces_take(&shard->pieces, size);
    if (connection->chain == NULL) {
        return false;
    }
    connection->chain_size = (uint32_t)size;
    return chain_log_get(shard->chains, digest, connection->chain, size) == size;
}

bool verdict_accept_ticket(void *owner, const uint8_t binding[static TLS_TICKET_BINDING_SIZE]) {
    struct connection *connection = owner;
    const uint8_t *digest = binding + IDENTITY_DIGEST_SIZE;
    uint64_t started_ns = clock_monotonic_ns();
    uint8_t scope[IDENTITY_DIGEST_SIZE];

    find_scope(connection, scope);
    if (!connection->resumable || memcmp(binding, scope, IDENTITY_DIGEST_SIZE) != 0) {
        return false;
    }
    CHECK(connection->identity == NULL && connection->chain == NULL);
    connection->by_ticket = true;
    if (memcmp(digest, no_chain, sizeof no_chain) == 0) {
        return true;
    }
    connection->identity =
        identity_cache_find(connection->shard->cache, policy_of(connection), digest, clock_wall_seconds());
    if (connection->identity == NULL || connection->identity->status != STATUS_VALID || !recall_chain(connection, digest)) {
        forget(connection);
        return false;
    }
    memcpy(connection->chain_digest, digest, IDENTITY_DIGEST_SIZE);
    record(connection, STATS_CACHED, started_ns);
    return true;
}
