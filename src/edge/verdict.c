#include "edge/verdict.h"

#include "base/check.h"
#include "base/clock.h"
#include "crypto/batch.h"
#include "guard/hello.h"

#include <string.h>

_Static_assert(TLS_TICKET_BINDING_SIZE == 2 * IDENTITY_DIGEST_SIZE,
               "a ticket is bound to a host's scope and a chain's digest");

/* The digest of no chain. */
static const uint8_t no_chain[IDENTITY_DIGEST_SIZE];

static const struct identity_policy *policy_of(const struct client *client) {
    return &client->host->policy;
}

static void forget_chain(struct client *client) {
    if (client->verdict.chain != NULL) {
        pieces_give(&client->shard->pieces, client->verdict.chain, client->verdict.chain_size);
        client->verdict.chain = NULL;
        client->verdict.chain_size = 0;
    }
}

/* Forgets all that is known of the client: of a ticket, say, that was not accepted in the end. */
static void forget(struct client *client) {
    identity_release(client->verdict.identity);
    client->verdict.identity = NULL;
    client->verdict.by_ticket = false;
    client->verdict.is_new = false;
    memset(client->verdict.chain_digest, 0, sizeof client->verdict.chain_digest);
    forget_chain(client);
}

void verdict_release(struct client *client) {
    forget(client);
}

/* Keeps the chain, so that the verdict can be reached anew: in one piece, a size before each certificate. False: out of
 * memory. */
static bool keep_chain(struct client *client, const struct tls_peer_chain *chain) {
    size_t size = 0;

    for (size_t i = 0; i < chain->count; i++) {
        size += sizeof(uint32_t) + chain->certificates[i].size;
    }
    client->verdict.chain = pieces_take(&client->shard->pieces, size);
    if (client->verdict.chain == NULL) {
        return false;
    }
    client->verdict.chain_size = (uint32_t)size;
    uint8_t *next = client->verdict.chain;
    for (size_t i = 0; i < chain->count; i++) {
        uint32_t part = (uint32_t)chain->certificates[i].size;

        memcpy(next, &part, sizeof part);
        memcpy(next + sizeof part, chain->certificates[i].data, part);
        next += sizeof part + part;
    }
    return true;
}

static size_t kept_chain(const struct client *client, struct bytes certificates[static TLS_PEER_CHAIN_MAX]) {
    size_t count = 0;

    for (uint32_t at = 0; at < client->verdict.chain_size; count++) {
        uint32_t part;

        CHECK(count < TLS_PEER_CHAIN_MAX && client->verdict.chain_size - at >= sizeof part);
        memcpy(&part, client->verdict.chain + at, sizeof part);
        at += (uint32_t)sizeof part;
        CHECK(client->verdict.chain_size - at >= part);
        certificates[count] = bytes_of(client->verdict.chain + at, part);
        at += part;
    }
    return count;
}

struct bytes verdict_leaf(const struct client *client) {
    struct bytes certificates[TLS_PEER_CHAIN_MAX];

    return kept_chain(client, certificates) == 0 ? bytes_of(NULL, 0) : certificates[0];
}

static void record(struct client *client, enum stats_path path, uint64_t started_ns) {
    stats_time(client->shard->stats, path == STATS_CACHED ? STATS_VERIFY_CACHED : STATS_VERIFY_FULL,
               batch_clock_ns() - started_ns);
}

static struct identity *look_up_or_judge(struct client *client, const struct bytes *certificates, size_t count,
                                         bool too_large) {
    uint64_t started_ns = batch_clock_ns();
    bool cached;
    struct identity *identity = identity_cache_judge(client->shard->shared.cache, policy_of(client), certificates, count,
                                                     too_large, clock_wall_seconds(), client->verdict.chain_digest, &cached);

    client->verdict.is_new = !cached;
    record(client, cached ? STATS_CACHED : STATS_JUDGED, started_ns);
    return identity;
}

bool verdict_judge(struct client *client, const struct tls_peer_chain *chain) {
    if (client->verdict.by_ticket) {
        forget(client);
    }
    if (client->verdict.identity != NULL) {
        return true;
    }
    client->verdict.identity = look_up_or_judge(client, chain->certificates, chain->count, chain->too_large);
    if (client->verdict.identity == NULL) {
        return false;
    }
    return chain->count == 0 || chain->too_large || keep_chain(client, chain);
}

/*
 * Returns whether the client may have what a valid certificate earns: the client has proved possession of the key, in this
 * handshake or in that of its ticket. A certificate whose key cannot prove that is never judged valid; this check holds even
 * if something else is wrong.
 */
static bool is_earned(const struct client *client, const struct identity *identity) {
    return identity->status != STATUS_VALID || client->verdict.by_ticket || tls_session_is_proved(client->tls);
}

static void remember(struct client *client) {
    if (client->verdict.is_new && client->verdict.identity->status == STATUS_VALID) {
        identity_cache_insert(client->shard->shared.cache, policy_of(client), client->verdict.chain_digest,
                              client->verdict.identity);
    }
    client->verdict.is_new = false;
}

bool verdict_settle(struct client *client, bool resumed) {
    if (resumed && !client->verdict.by_ticket) {
        return false;
    }
    if (client->verdict.by_ticket && !resumed) {
        forget(client);
    }
    if (client->verdict.identity == NULL) {
        client->verdict.identity = identity_retain(client->site->absent[client->host->index]);
    }
    if (!is_earned(client, client->verdict.identity)) {
        return false;
    }
    remember(client);
    return true;
}

static struct identity *judge_anew(struct client *client) {
    /* There is no chain to judge: the client sent none (it may never have been asked), or the host's mode is now `off`. */
    if (client->host->mode == CONFIG_OFF || client->verdict.identity->reason == REASON_ABSENT) {
        forget_chain(client);
        return identity_retain(client->site->absent[client->host->index]);
    }
    if (client->verdict.chain == NULL) { /* the chain was too large to be kept */
        return look_up_or_judge(client, NULL, 0, true);
    }
    struct bytes certificates[TLS_PEER_CHAIN_MAX];
    return look_up_or_judge(client, certificates, kept_chain(client, certificates), false);
}

const struct identity *verdict_now(struct client *client) {
    int64_t now = clock_wall_seconds();

    if (!client->verdict.stale && now >= client->verdict.identity->valid_from &&
        now <= client->verdict.identity->valid_until) {
        return client->verdict.identity;
    }
    struct identity *anew = judge_anew(client);
    if (anew == NULL) {
        return NULL;
    }
    if (!is_earned(client, anew)) {
        identity_release(anew);
        return NULL;
    }
    identity_release(client->verdict.identity);
    client->verdict.identity = anew;
    client->verdict.stale = false;
    if (client->host->origin_proxy != CONFIG_ORIGIN_PROXY_OFF) {
        relay_client_leave(&client->origin); /* its header tells of the verdict before */
    }
    client->verdict.lost = client->host->mode == CONFIG_ENFORCE && anew->status != STATUS_VALID;
    remember(client);
    return anew;
}

void verdict_policy_changed(struct client *client, const struct config_host *before) {
    if (memcmp(before->ticket_scope, client->host->ticket_scope, sizeof before->ticket_scope) != 0) {
        client->verdict.stale = true;
    }
}

/* Finds the scope within which a ticket is good: this host under this policy, and this very name (RFC 6066 section 3). */
static void find_scope(const struct client *client, uint8_t scope[static IDENTITY_DIGEST_SIZE]) {
    size_t name_size = strlen(client->name);

    uint8_t both[IDENTITY_DIGEST_SIZE + HELLO_NAME_MAX];
    memcpy(both, client->host->ticket_scope, IDENTITY_DIGEST_SIZE);
    if (client->name == client->host->name) {
        memcpy(scope, both, IDENTITY_DIGEST_SIZE);
        return;
    }
    CHECK(name_size <= HELLO_NAME_MAX);
    memcpy(both + IDENTITY_DIGEST_SIZE, client->name, name_size);
    signature_sha256(bytes_of(both, IDENTITY_DIGEST_SIZE + name_size), scope);
}

/*
 * Returns whether to issue a ticket: yes to a client with a valid certificate, or with none where the mode lets it in.
 * Otherwise no: the client may choose a better certificate, and TLS asks for one only in a full handshake.
 */
static bool may_resume(const struct client *client) {
    if (client->verdict.identity == NULL) {
        return client->host->mode != CONFIG_ENFORCE;
    }
    return (client->verdict.identity->status == STATUS_VALID && is_earned(client, client->verdict.identity)) ||
           (client->verdict.identity->status == STATUS_NONE && client->host->mode != CONFIG_ENFORCE);
}

/* Stores the chain in the chain log, where a session that resumes, which sends no certificates, finds it by its digest. */
static void log_chain(const struct client *client) {
    uint32_t part;

    memcpy(&part, client->verdict.chain, sizeof part);
    size_t leaf_size = sizeof part + part;
    chain_log_put(client->shard->shared.chains, client->verdict.chain_digest, bytes_of(client->verdict.chain, leaf_size),
                  bytes_of(client->verdict.chain + leaf_size, client->verdict.chain_size - leaf_size));
}

bool verdict_bind_ticket(struct client *client, bool resumed, uint8_t binding[static TLS_TICKET_BINDING_SIZE]) {
    const struct tls_peer_chain *chain = resumed ? NULL : tls_session_peer_chain(client->tls);

    if (client->verdict.by_ticket && !resumed) {
        forget(client);
    }
    if (!client->verdict.resumable || (chain != NULL && !verdict_judge(client, chain)) || !may_resume(client)) {
        return false;
    }
    if (client->verdict.chain != NULL) {
        log_chain(client);
    }
    find_scope(client, binding);
    memcpy(binding + IDENTITY_DIGEST_SIZE, client->verdict.chain_digest, IDENTITY_DIGEST_SIZE);
    return true;
}

/* Takes the chain of a client that resumes from the chain log, so that a later change of policy can judge the chain. */
static bool recall_chain(struct client *client, const uint8_t *digest) {
    struct shard *shard = client->shard;
    size_t size = chain_log_get(shard->shared.chains, digest, NULL, 0);

    if (size == 0) {
        return false;
    }
    client->verdict.chain = pieces_take(&shard->pieces, size);
    if (client->verdict.chain == NULL) {
        return false;
    }
    client->verdict.chain_size = (uint32_t)size;
    return chain_log_get(shard->shared.chains, digest, client->verdict.chain, size) == size;
}

bool verdict_accept_ticket(struct client *client, const uint8_t binding[static TLS_TICKET_BINDING_SIZE]) {
    const uint8_t *digest = binding + IDENTITY_DIGEST_SIZE;
    uint64_t started_ns = batch_clock_ns();
    uint8_t scope[IDENTITY_DIGEST_SIZE];

    find_scope(client, scope);
    if (!client->verdict.resumable || memcmp(binding, scope, IDENTITY_DIGEST_SIZE) != 0) {
        return false;
    }
    CHECK(client->verdict.identity == NULL && client->verdict.chain == NULL);
    client->verdict.by_ticket = true;
    if (memcmp(digest, no_chain, sizeof no_chain) == 0) {
        return true;
    }
    client->verdict.identity =
        identity_cache_find(client->shard->shared.cache, policy_of(client), digest, clock_wall_seconds());
    if (client->verdict.identity == NULL || client->verdict.identity->status != STATUS_VALID ||
        !recall_chain(client, digest)) {
        forget(client);
        return false;
    }
    memcpy(client->verdict.chain_digest, digest, IDENTITY_DIGEST_SIZE);
    record(client, STATS_CACHED, started_ns);
    return true;
}
