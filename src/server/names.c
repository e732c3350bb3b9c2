#include "server/names.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "base/timer.h"
#include "config/origin_lookup.h"
#include "dns/schedule.h"
#include "server/name_change.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    TURN_MS_MAX = 60000,
    POST_AGAIN_MS = 1000, /* a thread that has not taken the last change yet gets no further one; asked again after this */
    LOG_TEXT_SIZE = 640,
};

/* An origin that is a name. */
struct name {
    struct names *names;
    uint32_t host;
    uint32_t origin;
    const struct config_origin *configured;
    struct dns_schedule schedule;
    struct timer timer;
    struct list waiting; /* among those that are due while others are asked for */
    struct origin_lookup lookup;
    struct dns_set current;
    struct name_change *change; /* the last one; NULL: there was none */
    bool unposted;              /* the threads do not know of the current set yet */
};

struct names {
    pthread_t thread;
    bool running;
    int wake; /* eventfd */
    atomic_bool ending;
    _Atomic(struct config *) next; /* to be taken over; NULL: none */
    struct name_change_readers readers;
    struct stats *stats;

    /* Of what follows, up to `totals`: the thread alone changes it, and others read it with the lock held. */
    pthread_mutex_t lock;
    struct config *config;
    struct name *items;
    size_t count;
    uint32_t *totals; /* addresses of each host */

    /* The thread's own. */
    struct timer_wheel timers;
    struct list waiting;
    struct dns *dns; /* NULL: no look-up is under way */
    uint32_t under_way;
    struct random_stock random;
};

_Static_assert((int)STATS_DNS_OK == (int)DNS_OK && (int)STATS_DNS_NOT_FOUND == (int)DNS_NOT_FOUND &&
                   (int)STATS_DNS_FAILED == (int)DNS_FAILED && (int)STATS_DNS_TIMED_OUT == (int)DNS_TIMED_OUT &&
                   (int)STATS_DNS_MALFORMED == (int)DNS_MALFORMED && (int)STATS_DNS_COUNT == (int)DNS_RESULT_COUNT,
               "each result is counted as itself");

/* Tells the threads, unless one of them has not taken the last change yet: so a thread that is stuck gathers no mail. */
static void post(struct name *name) {
    struct names *names = name->names;

    if (name->change != NULL && !name_change_is_applied(name->change)) {
        return;
    }
    name_change_release(name->change);
    name->change = name_change_post(&names->readers, names->config, name->host, name->origin, &name->current);
    name->unposted = false;
}

static const char *host_of(const struct name *name) {
    return name->names->config->hosts[name->host].name;
}

/* Appends those that one set has beyond another, as far as there is room. */
static void append_beyond(struct text *text, const char *title, const struct dns_set *set, const struct dns_set *other) {
    bool first = true;

    for (size_t i = 0; i < set->count; i++) {
        if (dns_set_has(other, &set->items[i].address)) {
            continue;
        }
        const union dns_address *item = &set->items[i].address;
        struct config_address address = {.size = dns_address_size(item)};
        char written[ADDRESS_TEXT_SIZE];
        memcpy(&address.address, item, address.size);
        address_write(&address, written);
        text_append_format(text, "%s%s", first ? title : ", ", written);
        first = false;
    }
}

static void log_change(const struct name *name, const struct dns_set *before) {
    char buffer[LOG_TEXT_SIZE];
    struct text text = text_over(buffer, sizeof buffer);

    append_beyond(&text, "; new: ", &name->current, before);
    append_beyond(&text, "; gone: ", before, &name->current);
    log_limited(LOG_LEVEL_INFO, "host %s: origin %s: %zu addresses%s%.*s%s", host_of(name), name->configured->text,
                name->current.count, name->current.cut ? ", more are not used" : "", (int)text.size, text.data,
                text.overflow ? " and more" : "");
}

/* Takes over what was found, as far as the host may have so many addresses, or frees it. */
static void take_found(struct name *name, struct dns_set *found) {
    uint32_t *total = &name->names->totals[name->host];
    size_t room = CONFIG_ORIGIN_ADDRESSES_MAX - (*total - name->current.count);

    dns_set_shorten(found, room);
    if (!dns_set_equal(found, &name->current)) {
        struct dns_set before = name->current;

        pthread_mutex_lock(&name->names->lock);
        name->current = *found;
        pthread_mutex_unlock(&name->names->lock);
        *found = (struct dns_set){0};
        *total = (uint32_t)(*total - before.count + name->current.count);
        name->unposted = true;
        log_change(name, &before);
        dns_set_free(&before);
        post(name);
    }
    dns_set_free(found);
}

static uint32_t random_word(struct names *names) {
    return (uint32_t)random_below(&names->random, UINT64_C(1) << 32);
}

static void set_timer(struct name *name) {
    uint64_t now = clock_monotonic_ms();
    uint64_t delay_ms = name->schedule.due_ms > now ? name->schedule.due_ms - now : 0;

    if (name->unposted && delay_ms > POST_AGAIN_MS) {
        delay_ms = POST_AGAIN_MS;
    }
    timer_set(&name->names->timers, &name->timer, now, delay_ms);
}

static void note_found(struct name *name, struct dns_set *found, uint32_t ttl_s) {
    if (dns_schedule_found(&name->schedule, clock_monotonic_ms(), ttl_s, random_word(name->names))) {
        log_limited(LOG_LEVEL_INFO, "host %s: origin %s: resolves again", host_of(name), name->configured->text);
    }
    take_found(name, found);
}

static void note_failed(struct name *name, enum dns_result result) {
    if (dns_schedule_failed(&name->schedule, clock_monotonic_ms(), random_word(name->names))) {
        log_limited(LOG_LEVEL_WARNING, "host %s: origin %s: does not resolve any more: %s; its %zu addresses are kept",
                    host_of(name), name->configured->text, dns_result_text(result), name->current.count);
    }
}

static void looked_up(struct origin_lookup *lookup, enum dns_result result) {
    struct name *name = CONTAINER_OF(lookup, struct name, lookup);

    name->names->under_way--;
    stats_add(&name->names->stats->dns_lookups[result], 1);
    /* Of the family that has failed, the old addresses stay. */
    if (result == DNS_OK && lookup->lacks != 0) {
        dns_set_add_family(&lookup->found, &name->current, lookup->lacks);
        lookup->ttl_s = lookup->ttl_s < DNS_TTL_OF_FILE_S ? lookup->ttl_s : DNS_TTL_OF_FILE_S;
    }
    if (result == DNS_OK) {
        note_found(name, &lookup->found, lookup->ttl_s);
    } else {
        note_failed(name, result);
        dns_set_free(&lookup->found);
    }
    set_timer(name);
}

static void look_up(struct name *name) {
    struct names *names = name->names;

    names->under_way++;
    if (names->dns == NULL) {
        names->dns = dns_create(names->config->dns_servers);
    }
    if (names->dns == NULL) {
        looked_up(&name->lookup, DNS_FAILED);
    } else {
        origin_lookup_begin(names->dns, &name->lookup, name->configured->text);
    }
}

static void timer_fired(struct timer *timer) {
    struct name *name = CONTAINER_OF(timer, struct name, timer);

    if (name->unposted) {
        post(name);
    }
    if (clock_monotonic_ms() >= name->schedule.due_ms) {
        list_append(&name->names->waiting, &name->waiting);
    } else {
        set_timer(name);
    }
}

static void add_name(struct names *names, uint32_t host, uint32_t origin) {
    struct name *name = &names->items[names->count++];

    *name = (struct name){.names = names,
                          .host = host,
                          .origin = origin,
                          .configured = &names->config->hosts[host].origins[origin],
                          .lookup.done = looked_up};
    for (size_t i = 0; i < name->configured->address_count; i++) {
        const struct config_address *address = &name->configured->addresses[i];

        struct dns_item item = {.rank = config_rank(name->configured, i)};

        memcpy(&item.address, &address->address, address->size);
        dns_set_add_item(&name->current, &item);
    }
    timer_init(&name->timer, timer_fired);
    dns_schedule_found(&name->schedule, clock_monotonic_ms(), name->configured->ttl_s, random_word(names));
    set_timer(name);
}

static size_t count_names(const struct config *config) {
    size_t count = 0;

    for (size_t i = 0; i < config->host_count; i++) {
        count += config_count_names(&config->hosts[i]);
    }
    return count;
}

/* Forgets the configuration that was looked after, and its look-ups. */
static void forget(struct names *names) {
    dns_free(names->dns);
    names->dns = NULL;
    names->under_way = 0;
    list_init(&names->waiting);
    for (size_t i = 0; i < names->count; i++) {
        struct name *name = &names->items[i];

        timer_clear(&names->timers, &name->timer);
        name_change_release(name->change);
        origin_lookup_free(&name->lookup);
        dns_set_free(&name->current);
    }
    free(names->items);
    free(names->totals);
    names->items = NULL;
    names->totals = NULL;
    names->count = 0;
    if (names->config != NULL) {
        config_release(names->config);
        names->config = NULL;
    }
}

/* Looks after `config`, whose reference it takes over. */
static void begin(struct names *names, struct config *config) {
    names->config = config;
    names->items = calloc(count_names(config) + 1, sizeof *names->items);
    names->totals = calloc(config->host_count, sizeof *names->totals);
    CHECK(names->items != NULL && names->totals != NULL);
    for (uint32_t i = 0; i < config->host_count; i++) {
        names->totals[i] = (uint32_t)config_count_addresses(&config->hosts[i]);
        for (uint32_t j = 0; j < config->hosts[i].origin_count; j++) {
            if (config_is_name(&config->hosts[i].origins[j])) {
                add_name(names, i, j);
            }
        }
    }
}

static void take_config(struct names *names) {
    struct config *config = atomic_exchange(&names->next, NULL);

    if (config != NULL) {
        pthread_mutex_lock(&names->lock);
        forget(names);
        begin(names, config);
        pthread_mutex_unlock(&names->lock);
    }
}

static void begin_those_that_wait(struct names *names) {
    struct list *first;

    while (names->under_way < NAMES_LOOKUPS_MAX && (first = list_first(&names->waiting)) != NULL) {
        list_remove(first);
        look_up(CONTAINER_OF(first, struct name, waiting));
    }
}

/* Waits for answers, for what is due next, or for a word from another thread. */
static void wait_for_work(struct names *names) {
    int wait_ms = (int)timer_wheel_wait_ms(&names->timers, clock_monotonic_ms(), TURN_MS_MAX);

    if (names->under_way > 0) {
        dns_turn(names->dns, names->wake, wait_ms);
    } else {
        /* With the next look-up the files are read again: servers that have changed count from then on. */
        dns_free(names->dns);
        names->dns = NULL;
        poll(&(struct pollfd){.fd = names->wake, .events = POLLIN}, 1, wait_ms);
    }
    uint64_t count;
    while (read(names->wake, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

static void *run(void *argument) {
    struct names *names = argument;

    while (!atomic_load(&names->ending)) {
        take_config(names);
        timer_wheel_advance(&names->timers, clock_monotonic_ms());
        begin_those_that_wait(names);
        wait_for_work(names);
    }
    return NULL;
}

static void wake(const struct names *names) {
    uint64_t one = 1;

    while (write(names->wake, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

/* The thread is there only once there are names. */
static int start_thread(struct names *names) {
    if (names->running) {
        return 0;
    }
    int result = -pthread_create(&names->thread, NULL, run, names);
    names->running = result == 0;
    if (names->running) {
        pthread_setname_np(names->thread, "names");
    }
    return result;
}

static int hand_over(struct names *names, struct config *config) {
    if (!names->running && count_names(config) == 0) {
        return 0;
    }
    struct config *skipped = atomic_exchange(&names->next, config_retain(config));
    if (skipped != NULL) {
        config_release(skipped);
    }
    wake(names);
    return start_thread(names);
}

struct names *names_start(struct config *config, struct shard_thread *const *shards, unsigned shard_count,
                          struct control *control, struct stats *stats, struct error *error) {
    struct names *names = calloc(1, sizeof *names);

    if (names == NULL) {
        error_set(error, "not enough memory");
        return NULL;
    }
    names->readers = (struct name_change_readers){shards, shard_count, control};
    names->stats = stats;
    CHECK(pthread_mutex_init(&names->lock, NULL) == 0);
    list_init(&names->waiting);
    timer_wheel_init(&names->timers, clock_monotonic_ms());
    names->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int result = names->wake < 0 ? -errno : hand_over(names, config);
    if (result < 0) {
        error_set(error, "the thread for names of origins: %s", strerror(-result));
        names_stop(names);
        return NULL;
    }
    return names;
}

void names_post_config(struct names *names, struct config *config) {
    int result = hand_over(names, config);

    if (result < 0) {
        log_error("names of origins are not looked up again: no thread: %s", strerror(-result));
    }
}

bool names_known(struct names *names, const char *text, struct dns_set *set) {
    bool known = false;

    pthread_mutex_lock(&names->lock);
    for (size_t i = 0; i < names->count && !known; i++) {
        const struct name *name = &names->items[i];

        known = strcmp(name->configured->text, text) == 0;
        if (known) {
            *set = dns_set_copy(&name->current);
        }
    }
    pthread_mutex_unlock(&names->lock);
    return known;
}

void names_stop(struct names *names) {
    if (names == NULL) {
        return;
    }
    if (names->running) {
        atomic_store(&names->ending, true);
        wake(names);
        pthread_join(names->thread, NULL);
        forget(names);
    }
    pthread_mutex_destroy(&names->lock);
    struct config *next = atomic_exchange(&names->next, NULL);
    if (next != NULL) {
        config_release(next);
    }
    if (names->wake >= 0) {
        close(names->wake);
    }
    free(names);
}
