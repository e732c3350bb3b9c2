#include "edge/reputation.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/log.h"
#include "edge/connection.h"
#include "edge/gate.h"

#include <stdlib.h>

enum { PATIENCE_MS = 500 /* of a client that waits in a queue of ours */ };

/* Else one device would make more than two clients of itself by and by. */
_Static_assert((int)HOLDERS_VOUCH_S >= (int)SOURCES_VOUCHED_HALF_LIFE_S, "one client is one");

struct reputation *reputation_create(size_t holders, unsigned cores) {
    struct reputation *reputation = calloc(1, sizeof *reputation);

    CHECK(cores >= 1);
    if (reputation == NULL) {
        return NULL;
    }
    reputation->holders = holders_create(holders);
    if (reputation->holders == NULL) {
        free(reputation);
        return NULL;
    }
    familiar_init(&reputation->familiar);
    reputation->cores = cores;
    reputation->secret = (struct syn_filter_secret){
        .multiply_high = (uint32_t)hash_bytes("high", 4) | 1,
        .multiply_low = (uint32_t)hash_bytes("low", 3) | 1,
        .multiply_bucket = (uint32_t)hash_bytes("bucket", 6) | 1,
    };
    return reputation;
}

void reputation_free(struct reputation *reputation) {
    if (reputation == NULL) {
        return;
    }
    familiar_destroy(&reputation->familiar);
    holders_free(reputation->holders);
    free(reputation);
}

static uint64_t now_ms(const struct connection *connection) {
    return ring_now_ms(&connection->shard->ring);
}

static void count(struct connection *connection, enum stats_budget budget) {
    stats_add(&connection->shard->stats->over_budget[budget], 1);
}

/* Says what helps, the first time: a fleet that shares a certificate, or a proxy's, looks like one that was taken. */
static void tell_of_excess(const struct connection *connection, const struct holder_worth *worth) {
    struct bytes serial = connection->identity->serial;

    if (worth->rate_is_news) {
        log_limited(LOG_LEVEL_WARNING, "%s: the certificate with serial %.*s is over admission.certificate_rate",
                    connection->host->name, (int)serial.size, (const char *)serial.data);
    }
    if (worth->sources_are_news) {
        log_limited(LOG_LEVEL_WARNING, "%s: the certificate with serial %.*s is over admission.certificate_sources",
                    connection->host->name, (int)serial.size, (const char *)serial.data);
    }
}

/*
 * Makes the source known, if its certificate may still speak for it. A ticket, which can be used from anywhere, keeps a
 * known source known: those who only resume would else be strangers after a while.
 */
static void speak_for_source(struct connection *connection, const struct holder_worth *worth) {
    struct shard *shard = connection->shard;

    if (!worth->within_sources) {
        count(connection, STATS_OVER_CERTIFICATE_SOURCES);
        return;
    }
    uint32_t name = syn_filter_name(&shard->reputation->secret, &connection->peer.any);
    familiar_note(&shard->reputation->familiar, syn_filter_bucket(&shard->reputation->secret, name), now_ms(connection));
    screen_unblock(shard, &connection->peer.any);
    sources_prove(shard->sources, connection->source, worth->vouches, now_ms(connection));
}

/*
 * A certificate that is used more than any device needs speaks for nobody, and under load against the sources that nobody
 * else has spoken for. Those that are known have a budget of their own: a thief must not cost the owner, and whoever has the
 * owner's address, what they have.
 */
static void exceed_rate(struct connection *connection, bool is_known) {
    struct shard *shard = connection->shard;

    count(connection, STATS_OVER_CERTIFICATE_RATE);
    if (!is_known && !gate_is_calm(shard)) {
        sources_fail(shard->sources, connection->source, 1, now_ms(connection));
    }
}

static void fail(struct connection *connection, uint32_t weight) {
    sources_fail(connection->shard->sources, connection->source, weight, now_ms(connection));
}

void reputation_fail(struct connection *connection) {
    fail(connection, 1);
}

void reputation_fail_certificate(struct connection *connection) {
    fail(connection, 2);
}

void reputation_fail_if_impatient(struct connection *connection) {
    uint64_t now_ns = connection->shard->ring.now_ns;
    uint64_t since_ns = connection->admission.waits ? connection->admission.since_ns : now_ns;

    if (now_ns - since_ns < (uint64_t)PATIENCE_MS * 1000000) {
        fail(connection, 1);
    }
}

void reputation_resume(struct connection *connection) {
    if (connection->ticket != 0) {
        replays_note(connection->shard->replays, connection->ticket);
    }
    if (connection->identity->status == STATUS_VALID) {
        reputation_prove(connection, false);
    }
}

void reputation_prove(struct connection *connection, bool in_person) {
    struct shard *shard = connection->shard;
    const struct config_admission *settings = &connection->site->config->admission;
    struct holder_worth worth;

    if (connection->source == SOURCE_UNTRACKED || connection->proved) {
        return;
    }
    bool is_known = sources_standing(shard->sources, connection->source, now_ms(connection)) == SOURCE_KNOWN;
    connection->holder = holders_arrive(shard->reputation->holders, connection->identity->fingerprint, &settings->holder,
                                        in_person, in_person && !is_known, now_ms(connection), &worth);
    connection->proved = true;
    tell_of_excess(connection, &worth);
    if (worth.within_connections) {
        connection->credited = true;
        connection->first_of_holder = worth.first;
        sources_credit(shard->sources, connection->source, worth.vouches, worth.first, now_ms(connection));
    } else {
        count(connection, STATS_OVER_CERTIFICATE_CONNECTIONS);
    }
    if (!worth.within_rate) {
        exceed_rate(connection, is_known);
    } else if (in_person || is_known) {
        speak_for_source(connection, &worth);
    }
    if (!worth.within_rate || !worth.within_connections) {
        connection->class = ADMISSION_UNKNOWN;
        connection->over_bound = true;
    }
}

void reputation_leave(struct connection *connection) {
    if (connection->credited) {
        sources_discredit(connection->shard->sources, connection->source, connection->first_of_holder, now_ms(connection));
        connection->credited = false;
    }
    if (connection->proved) {
        holders_leave(connection->shard->reputation->holders, connection->holder);
        connection->proved = false;
    }
}

void reputation_spend(struct connection *connection, uint64_t spent_ns) {
    struct shard *shard = connection->shard;

    sources_spend(shard->sources, connection->source, spent_ns, shard->reputation->cores, now_ms(connection));
}

bool reputation_has_work(struct connection *connection) {
    struct shard *shard = connection->shard;
    bool has = sources_has_work(shard->sources, connection->source, shard->reputation->cores, now_ms(connection));

    if (!has) {
        count(connection, STATS_OVER_SOURCE_WORK);
    }
    return has;
}
