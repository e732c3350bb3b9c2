#include "server/prober.h"

#include "base/bits.h"
#include "base/check.h"
#include "base/log.h"
#include "config/health.h"
#include "relay/health_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { JITTER_PART = 10 /* an interval may be longer or shorter by one part in so many */ };

/* One address of a host that is probed. */
struct target {
    struct prober *prober;
    struct prober_host *host;
    struct config_address address; /* its text is `text` */
    char text[ADDRESS_TEXT_SIZE];
    struct bits origins; /* those of the host that have the address */
    struct health_entry *entry;
    struct health_state state;
    struct probe *probe;  /* in flight; NULL: none */
    struct list waiting;  /* among the prober's, while there is no place for a probe */
    struct timer timer;   /* of the next probe */
    uint64_t begun_ms;    /* the last probe */
    uint64_t interval_ms; /* from the last probe to the next one */
    bool spread;          /* has got its own time within the interval */
    bool doubtful;        /* its last probe failed */
    struct target *next;  /* while it ends: among those that end with it */
    char why[STATS_WHY_SIZE];
};

struct prober_host {
    struct probe_words *words;
    size_t index; /* in the configuration */
    struct target **targets;
    size_t target_count;
    size_t target_capacity;
};

static struct ring *ring_of(const struct target *target) {
    return target->prober->ring;
}

static const struct config_host *configured(const struct target *target) {
    return target->host->words->host;
}

/* Returns the first of the host's origins that has the address. */
static const struct config_origin *origin_of(const struct target *target) {
    return &configured(target)->origins[bits_next(&target->origins, 0)];
}

/* Has the target's next probe begin in time: an interval after the last one, or now if that time is over. */
static void schedule(struct target *target) {
    uint64_t now_ms = ring_now_ms(ring_of(target));
    uint64_t due_ms = target->begun_ms + target->interval_ms;

    timer_set(&ring_of(target)->timers, &target->timer, now_ms, due_ms > now_ms ? due_ms - now_ms : 0);
}

static void draw_interval(struct target *target) {
    uint64_t interval_ms = configured(target)->health->interval_ms;

    if (target->spread) {
        uint64_t jitter_ms = interval_ms / JITTER_PART;

        target->interval_ms = interval_ms - jitter_ms + random_below(&target->prober->random, 2 * jitter_ms + 1);
    } else {
        target->interval_ms = 1 + random_below(&target->prober->random, interval_ms);
        target->spread = true;
    }
}

/* Tells the pages which origins of the host are down: those of which no address is up, or which have none. */
static void publish_state(const struct prober *prober, const struct prober_host *host) {
    struct bits down = {0};

    for (size_t i = 0; i < host->words->host->origin_count; i++) {
        bits_add(&down, i);
    }
    for (size_t i = 0; i < host->target_count; i++) {
        if (!host->targets[i]->state.down) {
            bits_take_out(&down, &host->targets[i]->origins);
        }
    }
    for (size_t i = 0; i < BITS_WORDS; i++) {
        stats_set(&stats_hosts_at_control(prober->stats, host->index)->origins_down[i], down.words[i]);
    }
}

static void publish_why(const struct target *target) {
    char(*why)[STATS_WHY_SIZE] = stats_hosts_why(target->prober->stats, target->host->index);

    for (size_t i = bits_next(&target->origins, 0); i < BITS_MAX; i = bits_next(&target->origins, i + 1)) {
        memcpy(why[i], target->why, STATS_WHY_SIZE);
    }
}

static void tell_change(struct target *target) {
    const char *origin = target->text;
    const char *host = configured(target)->name;

    health_entry_set(target->entry, target->state.down);
    publish_state(target->prober, target->host);
    if (target->state.down) {
        log_warning("origin %s of %s is down: %s", origin, host, target->why);
    } else {
        log_info("origin %s of %s is up again", origin, host);
    }
}

static void note(struct target *target, const struct probe_outcome *outcome) {
    const struct config_health *health = configured(target)->health;
    bool good = outcome->result == STATS_PROBE_OK;

    target->doubtful = !good;
    memcpy(target->why, outcome->why, sizeof target->why);
    if (health_state_note(&target->state, good, health->rise, health->fall)) {
        tell_change(target);
    }
    if (target->state.down && !good) {
        publish_why(target);
    }
}

static void start_waiting(struct prober *prober);

/* The target's probe is over, though it may yet have to close. */
static void part(struct target *target) {
    target->probe->owner = NULL;
    target->probe = NULL;
}

static void count(const struct target *target, enum stats_probe_result result) {
    stats_add(&stats_hosts_at_control(target->prober->stats, target->host->index)->probes[result], 1);
}

/* The state stays: what is short here says nothing of the origin. */
static void tell_skipped(const struct target *target, const char *why) {
    log_limited(LOG_LEVEL_WARNING, "origin %s of %s is not probed: %s", target->text, configured(target)->name, why);
}

static void probe_done(struct probe *probe, const struct probe_outcome *outcome) {
    struct target *target = probe->owner;

    count(target, outcome->result);
    part(target);
    if (outcome->result == STATS_PROBE_SKIPPED) {
        tell_skipped(target, outcome->why);
    } else {
        note(target, outcome);
    }
    schedule(target);
}

/* A probe with the place that it takes. */
struct place {
    struct probe probe;
    struct prober *prober;
    bool doubtful;
};

static void leave_place(struct place *place) {
    struct prober *prober = place->prober;

    prober->in_flight--;
    prober->doubtful_in_flight -= place->doubtful;
    slab_give(&prober->probes, place);
}

static void probe_gone(struct probe *probe) {
    struct place *place = CONTAINER_OF(probe, struct place, probe);
    struct prober *prober = place->prober;

    leave_place(place);
    start_waiting(prober);
}

static void begin_probe(struct target *target) {
    struct prober *prober = target->prober;
    struct place *place = slab_take(&prober->probes);

    CHECK(place != NULL);
    place->prober = prober;
    place->doubtful = target->doubtful;
    prober->in_flight++;
    prober->doubtful_in_flight += place->doubtful;
    struct probe *probe = &place->probe;
    probe->words = target->host->words;
    probe->owner = target;
    probe->done = probe_done;
    probe->gone = probe_gone;
    target->begun_ms = ring_now_ms(ring_of(target));
    draw_interval(target);
    const struct probe_target where = {origin_of(target), &target->address, prober->memory};
    int error = probe_begin(probe, prober->ring, &where);
    if (error < 0) {
        leave_place(place);
        count(target, STATS_PROBE_SKIPPED);
        tell_skipped(target, strerror(-error));
        schedule(target);
        return;
    }
    target->probe = probe;
}

/* Returns the target whose turn it is, or NULL when there is no place for any that waits. */
static struct target *next_waiting(struct prober *prober) {
    struct list *first = NULL;

    if (prober->in_flight < PROBER_PROBES_MAX) {
        first = list_first(&prober->waiting[false]);
        if (first == NULL && prober->doubtful_in_flight < PROBER_DOUBTFUL_MAX) {
            first = list_first(&prober->waiting[true]);
        }
    }
    return first == NULL ? NULL : CONTAINER_OF(first, struct target, waiting);
}

static void start_waiting(struct prober *prober) {
    for (struct target *target; (target = next_waiting(prober)) != NULL;) {
        list_remove(&target->waiting);
        begin_probe(target);
    }
}

static void probe_due(struct timer *timer) {
    struct target *target = CONTAINER_OF(timer, struct target, timer);

    list_append(&target->prober->waiting[target->doubtful], &target->waiting);
    start_waiting(target->prober);
}

/* No probe of the target begins any more. */
static void hold_target(struct target *target) {
    timer_clear(&ring_of(target)->timers, &target->timer);
    if (list_is_linked(&target->waiting)) {
        list_remove(&target->waiting);
    }
}

static void stop_target(struct target *target) {
    if (target->probe != NULL) {
        struct probe *probe = target->probe;

        part(target);
        probe_abort(probe);
    }
}

static bool asks_the_same(const struct config_host *a, const struct config_host *b) {
    return health_asks_the_same(a->health, b->health) && a->origin_http2 == b->origin_http2 &&
           a->origin_proxy == b->origin_proxy && (a->origin_tls == NULL) == (b->origin_tls == NULL);
}

/*
 * Takes over the state of the target that the address had before, if it was asked the same; else it is up. A probe in flight
 * is lost, and another one takes its place.
 */
static void take_over(struct target *target) {
    const struct target *before = target->entry->prober;

    target->interval_ms = 0;
    target->begun_ms = ring_now_ms(ring_of(target));
    if (before != NULL && asks_the_same(configured(before), configured(target))) {
        target->state = before->state;
        target->doubtful = before->doubtful;
        memcpy(target->why, before->why, sizeof target->why);
        uint64_t interval_ms = configured(target)->health->interval_ms;
        if (timer_is_set(&before->timer) && before->interval_ms <= interval_ms + interval_ms / JITTER_PART) {
            target->spread = before->spread;
            target->begun_ms = before->begun_ms;
            target->interval_ms = before->interval_ms;
        }
    }
    health_entry_set(target->entry, target->state.down);
}

static struct target *append_target(struct prober_host *host) {
    if (host->target_count == host->target_capacity) {
        host->target_capacity = 2 * host->target_capacity + 1;
        host->targets = realloc(host->targets, host->target_capacity * sizeof(struct target *));
        CHECK(host->targets != NULL);
    }
    struct target *target = malloc(sizeof *target);
    CHECK(target != NULL);
    host->targets[host->target_count++] = target;
    return target;
}

/* Makes the host's target of an address, or adds the origin to the one that there is. */
static void add_target(struct prober *prober, struct prober_host *host, const struct config_address *address,
                       size_t origin) {
    struct health_entry *entry =
        health_board_take(prober->board, host->words->host->name, (const struct sockaddr *)&address->address, address->size);

    CHECK(entry != NULL);
    for (size_t i = 0; i < host->target_count; i++) {
        if (host->targets[i]->entry == entry) {
            bits_add(&host->targets[i]->origins, origin);
            health_board_give(prober->board, entry);
            return;
        }
    }
    struct target *target = append_target(host);
    *target = (struct target){.prober = prober, .host = host, .address = *address, .entry = entry};
    bits_add(&target->origins, origin);
    snprintf(target->text, sizeof target->text, "%s", address->text);
    target->address.text = target->text;
    timer_init(&target->timer, probe_due);
    take_over(target);
}

static void make_host(struct prober *prober, struct prober_host *host, const struct config_host *configured_host) {
    host->index = configured_host->index;
    host->words = probe_words_create(prober->config, configured_host);
    CHECK(host->words != NULL);
    if (host->words->tls != NULL && prober->memory == NULL) {
        prober->memory = tls_memory_create(prober->ring);
        CHECK(prober->memory != NULL);
    }
    for (size_t i = 0; i < configured_host->origin_count; i++) {
        const struct config_origin *origin = &configured_host->origins[i];

        for (size_t j = 0; j < origin->address_count; j++) {
            add_target(prober, host, &origin->addresses[j], i);
        }
    }
}

/* Has the probes of those targets of the host begin that are new, and shows what is known of its origins already. */
static void open_host(const struct prober *prober, struct prober_host *host) {
    publish_state(prober, host);
    for (size_t i = 0; i < host->target_count; i++) {
        struct target *target = host->targets[i];

        publish_why(target);
        if (target->entry->prober != target) {
            target->entry->prober = target;
            schedule(target);
        }
    }
}

/* Ends a target that is held. */
static void free_target(struct target *target) {
    stop_target(target);
    if (target->entry->prober == target) {
        target->entry->prober = NULL;
    }
    health_board_give(target->prober->board, target->entry);
    free(target);
}

/* All are held first: each probe that ends makes room for one that waits. */
static void free_hosts(struct prober_host *hosts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < hosts[i].target_count; j++) {
            hold_target(hosts[i].targets[j]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < hosts[i].target_count; j++) {
            free_target(hosts[i].targets[j]);
        }
        free(hosts[i].targets);
        probe_words_release(hosts[i].words);
    }
    free(hosts);
}

static void make_hosts(struct prober *prober) {
    const struct config *config = prober->config;

    prober->host_count = 0;
    prober->hosts = calloc(config->host_count + 1, sizeof *prober->hosts);
    CHECK(prober->hosts != NULL);
    for (size_t i = 0; i < config->host_count; i++) {
        if (config->hosts[i].health != NULL) {
            make_host(prober, &prober->hosts[prober->host_count++], &config->hosts[i]);
        }
    }
}

int prober_create(struct prober *prober, struct ring *ring, struct health_board *board) {
    *prober = (struct prober){.ring = ring, .board = board};
    list_init(&prober->waiting[false]);
    list_init(&prober->waiting[true]);
    return slab_create(&prober->probes, sizeof(struct place), PROBER_PROBES_MAX);
}

void prober_configure(struct prober *prober, struct config *config, struct stats_hosts *stats) {
    struct prober_host *before = prober->hosts;
    size_t count_before = prober->host_count;
    struct config *config_before = prober->config;
    struct stats_hosts *stats_before = prober->stats;

    prober->config = config_retain(config);
    prober->stats = stats_hosts_retain(stats);
    make_hosts(prober);
    for (size_t i = 0; i < prober->host_count; i++) {
        open_host(prober, &prober->hosts[i]);
    }
    free_hosts(before, count_before);
    stats_hosts_release(stats_before);
    if (config_before != NULL) {
        config_release(config_before);
    }
}

/* NULL: the host has none that are probed. */
static struct prober_host *find_host(const struct prober *prober, size_t index) {
    for (size_t i = 0; i < prober->host_count; i++) {
        if (prober->hosts[i].index == index) {
            return &prober->hosts[i];
        }
    }
    return NULL;
}

/* Ends the targets that no origin has any more. */
static void free_unused(struct prober_host *host) {
    struct target *unused = NULL;
    size_t kept = 0;

    for (size_t i = 0; i < host->target_count; i++) {
        struct target *target = host->targets[i];

        if (bits_count(&target->origins) > 0) {
            host->targets[kept++] = target;
        } else {
            hold_target(target);
            target->next = unused;
            unused = target;
        }
    }
    host->target_count = kept;
    while (unused != NULL) {
        struct target *target = unused;

        unused = target->next;
        free_target(target);
    }
}

void prober_take_addresses(struct prober *prober, const struct config *config, size_t host_index, size_t origin,
                           const struct dns_set *set) {
    struct prober_host *host = config == prober->config ? find_host(prober, host_index) : NULL;

    if (host == NULL) {
        return;
    }
    for (size_t i = 0; i < host->target_count; i++) {
        bits_remove(&host->targets[i]->origins, origin);
    }
    for (size_t i = 0; i < set->count; i++) {
        char text[ADDRESS_TEXT_SIZE];
        const union dns_address *found = &set->items[i].address;
        struct config_address address = {.size = dns_address_size(found), .text = text};

        memcpy(&address.address, found, address.size);
        address_write(&address, text);
        add_target(prober, host, &address, origin);
    }
    free_unused(host);
    open_host(prober, host);
}

void prober_close(struct prober *prober) {
    free_hosts(prober->hosts, prober->host_count);
    prober->hosts = NULL;
    prober->host_count = 0;
}

bool prober_is_closed(const struct prober *prober) {
    return prober->host_count == 0 && prober->in_flight == 0;
}

void prober_destroy(struct prober *prober) {
    CHECK(prober_is_closed(prober));
    stats_hosts_release(prober->stats);
    if (prober->config != NULL) {
        config_release(prober->config);
    }
    tls_memory_free(prober->memory);
    slab_destroy(&prober->probes);
}
