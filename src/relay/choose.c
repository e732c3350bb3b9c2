#include "relay/choose.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/log.h"

/* The groups of each level of a balance. */
enum {
    READY, /* usable, as far as is known, with room */
    FULL,  /* usable, without room */
    OUT,   /* passed over because of what its own connections and answers were */
    SICK,  /* unhealthy: see origin.h */
};
_Static_assert((int)SICK < (int)BALANCE_GROUPS, "each group has its place");

enum { BACKUP = 1 << 16 /* in ranks: all levels of backups come behind those of the others */ };

static struct relay_origin *of_member(struct balance_member *member) {
    return CONTAINER_OF(member, struct relay_origin, member);
}

static void move(struct relay_origin *origin, unsigned group) {
    balance_move(&origin->host->balance, &origin->member, (uint8_t)group);
}

static bool is_in(const struct relay_origin *origin, unsigned group) {
    return origin->member.group == group;
}

/* Has an origin that is not usable leave the groups of those that are. */
static void put_aside(struct relay_origin *origin) {
    move(origin, origin_is_unhealthy(origin) ? SICK : OUT);
}

static bool is_aside(const struct relay_origin *origin) {
    return is_in(origin, OUT) || is_in(origin, SICK);
}

static uint32_t count_aside(const struct balance *balance) {
    return balance->totals[OUT] + balance->totals[SICK];
}

static uint32_t rank_of(const struct relay_origin *origin) {
    return origin->rank.level + (origin->configured->backup ? BACKUP : 0);
}

static uint32_t whole_of(const struct relay_origin *origin) {
    return origin->rank.share != 0 ? origin->rank.share : origin->configured->weight * (uint32_t)BALANCE_ONE;
}

void choose_begin(struct relay_host *host) {
    balance_init(&host->balance, host->configured->balance, CHOOSE_RAMP_MS);
}

void choose_end(struct relay_host *host) {
    balance_free(&host->balance);
}

void choose_share(struct relay_origin *origin, uint32_t shards) {
    struct relay_host *host = origin->host;

    host->line_max -= origin->in_flight_max;
    origin->in_flight_max = (origin->configured->in_flight + shards - 1) / shards;
    host->line_max += origin->in_flight_max;
    if (is_in(origin, READY) && choose_is_full(origin)) {
        move(origin, FULL);
    }
}

int choose_add(struct relay_origin *origin) {
    origin->member.whole = whole_of(origin);
    /* The text, so that all machines with this address in their files agree, in whatever order. */
    origin->member.digest = hash_fixed(origin->text, strlen(origin->text));
    return balance_add(&origin->host->balance, &origin->member, rank_of(origin), READY);
}

int choose_rank(struct relay_origin *origin, struct dns_rank rank) {
    struct dns_rank before = origin->rank;

    origin->rank = rank;
    int error = balance_change(&origin->host->balance, &origin->member, rank_of(origin), whole_of(origin));
    if (error < 0) {
        origin->rank = before;
    }
    return error;
}

void choose_remove(struct relay_origin *origin) {
    origin->host->line_max -= origin->in_flight_max;
    origin->in_flight_max = 0;
    balance_remove(&origin->host->balance, &origin->member);
}

static void bring_back(struct relay_origin *origin, uint64_t now_ms) {
    if (origin->ejected) {
        origin->ejected = false;
        origin->host->ejected--;
        log_news(LOG_LEVEL_INFO, "host %s: origin %s: gets requests again", origin->host->configured->name, origin->text);
    }
    move(origin, choose_is_full(origin) ? FULL : READY);
    balance_ramp(&origin->host->balance, &origin->member, now_ms);
}

static uint64_t min(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* Returns when the origin, which is aside, is usable again as far as is known now. */
static uint64_t back_ms(const struct relay_origin *origin, uint64_t now_ms) {
    uint64_t up_ms = now_ms < origin->down_until_ms ? origin->down_until_ms : UINT64_MAX;
    uint64_t in_ms = now_ms < origin->ejection.until_ms ? origin->ejection.until_ms : UINT64_MAX;

    return min(up_ms, in_ms);
}

/* Brings back those that are usable again, and has others grow. */
static void look(struct relay_host *host, uint64_t now_ms) {
    struct balance *balance = &host->balance;

    if (count_aside(balance) + balance->ramping == 0 || now_ms < host->look_ms) {
        return;
    }
    host->look_ms = now_ms + CHOOSE_LOOK_MS;
    balance_grow(balance, now_ms);
    for (uint32_t i = 0; i < host->count; i++) {
        struct relay_origin *origin = host->origins[i];

        if (!is_aside(origin)) {
            continue;
        }
        if (origin_is_usable(origin, now_ms)) {
            bring_back(origin, now_ms);
        } else {
            put_aside(origin);
            host->look_ms = min(host->look_ms, back_ms(origin, now_ms));
        }
    }
}

/* Returns one of a level that is ready, or NULL. Those that prove not to be are put aside. */
static struct relay_origin *choose_ready(struct relay_host *host, const struct balance_level *level,
                                         const struct balance_tried *tried, uint64_t client, uint64_t now_ms) {
    struct balance_member *member;

    while ((member = balance_choose(&host->balance, level, READY, tried, client)) != NULL) {
        struct relay_origin *origin = of_member(member);

        if (origin_is_usable(origin, now_ms)) {
            return origin;
        }
        put_aside(origin);
    }
    return NULL;
}

/* Returns whether a level has one that is usable, and has no room. */
static bool has_full(struct relay_host *host, const struct balance_level *level, const struct balance_tried *tried,
                     uint64_t now_ms) {
    struct balance_member *member;

    while ((member = balance_first(&host->balance, level, FULL, tried)) != NULL) {
        if (origin_is_usable(of_member(member), now_ms)) {
            return true;
        }
        put_aside(of_member(member));
    }
    return false;
}

/* Returns one of a level that is out, or NULL. Those that prove to be unhealthy leave the group. */
static struct relay_origin *choose_out(struct relay_host *host, const struct balance_level *level,
                                       const struct balance_tried *tried, uint64_t client) {
    struct balance_member *member;

    while ((member = balance_choose(&host->balance, level, OUT, tried, client)) != NULL) {
        if (!origin_is_unhealthy(of_member(member))) {
            return of_member(member);
        }
        move(of_member(member), SICK);
    }
    return NULL;
}

static struct relay_origin *choose_unusable(struct relay_host *host, const struct balance_tried *tried, uint64_t client,
                                            bool *full) {
    struct relay_origin *origin = NULL;

    for (uint32_t i = 0; i < host->balance.level_count && origin == NULL; i++) {
        origin = choose_out(host, host->balance.levels[i], tried, client);
    }
    *full = origin != NULL && choose_is_full(origin);
    return *full ? NULL : origin;
}

/* Returns one that was not unhealthy at the last look, or NULL. */
static struct relay_origin *choose(struct relay_host *host, const struct balance_tried *tried, uint64_t client,
                                   uint64_t now_ms, bool *full) {
    *full = false;
    for (uint32_t i = 0; i < host->balance.level_count; i++) {
        const struct balance_level *level = host->balance.levels[i];
        struct relay_origin *origin = choose_ready(host, level, tried, client, now_ms);

        if (origin != NULL) {
            return origin;
        }
        if (has_full(host, level, tried, now_ms)) {
            *full = true;
            return NULL;
        }
    }
    return choose_unusable(host, tried, client, full);
}

struct relay_origin *choose_next(struct relay_host *host, const struct balance_tried *tried, uint64_t client,
                                 uint64_t now_ms, bool *full) {
    look(host, now_ms);
    struct relay_origin *origin = choose(host, tried, client, now_ms, full);
    if (origin == NULL && !*full && host->balance.totals[SICK] > 0) {
        /* Since the last look one may have become healthy, or the last healthy one may have failed. */
        host->look_ms = 0;
        look(host, now_ms);
        origin = choose(host, tried, client, now_ms, full);
    }
    return origin;
}

static void count_unhealthy(const struct relay_origin *origin) {
    if (origin_fails_checks(origin) && origin->host->counters != NULL) {
        stats_add(&origin->host->counters->unhealthy_used, 1);
    }
}

void choose_enter(struct relay_origin *origin) {
    count_unhealthy(origin);
    if (origin->leaves) {
        origin->member.in_flight++;
        return;
    }
    balance_enter(&origin->host->balance, &origin->member);
    if (choose_is_full(origin) && is_in(origin, READY)) {
        move(origin, FULL);
    }
}

void choose_leave(struct relay_origin *origin) {
    if (origin->leaves) {
        origin->member.in_flight--;
        return;
    }
    balance_leave(&origin->host->balance, &origin->member);
    if (is_in(origin, FULL) && !choose_is_full(origin)) {
        move(origin, READY);
    }
}

/* Returns whether the host can do without one origin more: half of them at least stay. */
static bool can_be_spared(const struct relay_host *host) {
    return 2 * (host->ejected + 1) <= host->count;
}

void choose_note_failure(struct relay_origin *origin, uint64_t now_ms) {
    struct relay_host *host = origin->host;

    if (!ejection_fail(&origin->ejection) || origin->leaves || origin->ejected || !can_be_spared(host)) {
        return;
    }
    uint32_t ms = ejection_begin(&origin->ejection, now_ms);
    origin->ejected = true;
    host->ejected++;
    put_aside(origin);
    if (host->counters != NULL) {
        stats_add(&host->counters->origin_ejections, 1);
    }
    log_news(LOG_LEVEL_WARNING, "host %s: origin %s: %d failures in a row; passed over for %u s", host->configured->name,
             origin->text, EJECTION_FAILURES, ms / 1000);
}
