#include "edge/reputation.h"

#include "base/log.h"
#include "edge/reputation_store.h"
#include "edge/screen.h"

enum { PATIENCE_MS = 500 /* of a client that waits in a queue of ours */ };

/* Otherwise one device would count as more than two clients, by and by. */
_Static_assert((int)HOLDERS_VOUCH_S >= (int)SOURCES_VOUCHED_HALF_LIFE_S, "one client is one");

static uint64_t now_ms(const struct client *client) {
    return ring_now_ms(&client->shard->ring);
}

static void count(struct client *client, enum stats_budget budget) {
    stats_add(&client->shard->stats->over_budget[budget], 1);
}

/* Logs which setting helps, the first time: a certificate that a fleet or a proxy shares looks like a stolen one. */
static void tell_of_excess(const struct client *client, const struct holder_worth *worth) {
    struct bytes serial = client->verdict.identity->serial;

    if (worth->rate_is_news) {
        log_limited(LOG_LEVEL_WARNING, "%s: the certificate with serial %.*s is over admission.certificate_rate",
                    client->host->name, (int)serial.size, (const char *)serial.data);
    }
    if (worth->sources_are_news) {
        log_limited(LOG_LEVEL_WARNING, "%s: the certificate with serial %.*s is over admission.certificate_sources",
                    client->host->name, (int)serial.size, (const char *)serial.data);
    }
}

/*
 * Makes the source known, if the certificate may still speak for it. A ticket, which can be used from anywhere, keeps a
 * known source known: otherwise clients that only resume would be strangers after a while.
 */
static void speak_for_source(struct client *client, const struct holder_worth *worth) {
    struct shard *shard = client->shard;

    if (!worth->within_sources) {
        count(client, STATS_OVER_CERTIFICATE_SOURCES);
        return;
    }
    uint32_t name = syn_filter_name(&shard->shared.reputation->secret, &client->peer.any);
    familiar_note(&shard->shared.reputation->familiar, syn_filter_bucket(&shard->shared.reputation->secret, name),
                  now_ms(client));
    screen_unblock(shard, &client->peer.any);
    sources_prove(shard->shared.sources, client->standing.source, worth->vouches, now_ms(client));
}

/*
 * Counts a certificate that is used more than any device needs. Such a certificate makes no source known, and under load
 * counts against a source that no other certificate has made known. A known source has a budget of its own instead: a thief
 * must not cost the owner, nor others behind the owner's address, their standing.
 */
static void exceed_rate(struct client *client, bool is_known) {
    struct shard *shard = client->shard;

    count(client, STATS_OVER_CERTIFICATE_RATE);
    if (!is_known && !shard_is_calm(shard)) {
        sources_fail(shard->shared.sources, client->standing.source, 1, now_ms(client));
    }
}

static void fail(struct client *client, uint32_t weight) {
    sources_fail(client->shard->shared.sources, client->standing.source, weight, now_ms(client));
}

void reputation_fail(struct client *client) {
    fail(client, 1);
}

void reputation_fail_certificate(struct client *client) {
    fail(client, 2);
}

void reputation_fail_if_impatient(struct client *client, uint64_t waited_ns) {
    if (waited_ns < (uint64_t)PATIENCE_MS * 1000000) {
        fail(client, 1);
    }
}

void reputation_resume(struct client *client) {
    if (client->standing.ticket != 0) {
        replays_note(client->shard->shared.replays, client->standing.ticket);
    }
    if (client->verdict.identity->status == STATUS_VALID) {
        reputation_prove(client, false);
    }
}

void reputation_prove(struct client *client, bool in_person) {
    struct shard *shard = client->shard;
    const struct config_admission *settings = &client->site->config->admission;

    if (client->standing.source == SOURCE_UNTRACKED || client->standing.proved) {
        return;
    }
    bool is_known = sources_standing(shard->shared.sources, client->standing.source, now_ms(client)) == SOURCE_KNOWN;
    struct holder_worth worth;
    client->standing.holder = holders_arrive(shard->shared.reputation->holders, client->verdict.identity->fingerprint,
                                             &settings->holder, in_person, in_person && !is_known, now_ms(client), &worth);
    client->standing.proved = true;
    tell_of_excess(client, &worth);
    if (worth.within_connections) {
        client->standing.credited = true;
        client->standing.first_of_holder = worth.first;
        sources_credit(shard->shared.sources, client->standing.source, worth.vouches, worth.first, now_ms(client));
    } else {
        count(client, STATS_OVER_CERTIFICATE_CONNECTIONS);
    }
    if (!worth.within_rate) {
        exceed_rate(client, is_known);
    } else if (in_person || is_known) {
        speak_for_source(client, &worth);
    }
    if (!worth.within_rate || !worth.within_connections) {
        client->standing.class = ADMISSION_UNKNOWN;
        client->standing.over_bound = true;
    }
}

void reputation_leave(struct client *client) {
    struct standing *standing = &client->standing;

    if (standing->credited) {
        sources_discredit(client->shard->shared.sources, standing->source, standing->first_of_holder, now_ms(client));
        standing->credited = false;
    }
    if (standing->proved) {
        holders_leave(client->shard->shared.reputation->holders, standing->holder);
        standing->proved = false;
    }
    sources_leave(client->shard->shared.sources, standing->source);
    standing->source = SOURCE_UNTRACKED;
}

void reputation_spend(struct client *client, uint64_t spent_ns) {
    struct shard *shard = client->shard;

    sources_spend(shard->shared.sources, client->standing.source, spent_ns, shard->shared.reputation->cores, now_ms(client));
}

bool reputation_has_work(struct client *client) {
    struct shard *shard = client->shard;
    bool has =
        sources_has_work(shard->shared.sources, client->standing.source, shard->shared.reputation->cores, now_ms(client));

    if (!has) {
        count(client, STATS_OVER_SOURCE_WORK);
    }
    return has;
}
