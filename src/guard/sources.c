#include "guard/sources.h"

#include "base/check.h"
#include "base/hash.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOCKS = 256,     /* a power of two; each is held for the look-up in one set */
    TOKEN = 1000,    /* the bucket counts in thousandths of a connection: a millisecond adds as many as the rate says */
    FAMILY_NONE = 0, /* the family of an entry that was never used */
    WORK_OWED_MAX_US = 100 * 1000,
    FORGIVEN_MS = 2000,
    CORES_MAX = 1000,
    ENTRIES_MAX = 1 << 26,
};

struct entry {
    uint64_t prefix;   /* the address's first 4 or 8 bytes */
    uint32_t seen_low; /* when the source was seen last: see seen_ms() */
    uint32_t tokens;   /* of the bucket, at that time */
    uint32_t known_until_s;
    uint32_t failed_s; /* the time for which `failures` is right */
    uint32_t connections;
    uint32_t proved;    /* connections with valid certificates */
    uint32_t vouched;   /* clients that were there lately, as of vouched_s */
    uint32_t vouched_s; /* the time for which `vouched` is right */
    uint64_t worked_ms; /* the time for which `work_us` is right */
    int32_t work_us;    /* of handshakes that it may still take; negative: a debt */
    uint32_t waiting;
    uint32_t distinct; /* of `proved`, the connections that were the first of their certificates */
    uint16_t failures;
    uint8_t family;
    uint8_t seen_high;
};
_Static_assert(sizeof(struct entry) == SOURCES_ENTRY_SIZE, "see sources.h");

/* Counts the known sources that have taken work: in this second, and in the last one in which there were any. */
struct activity {
    pthread_mutex_t lock;
    uint64_t second;
    uint32_t now;
    uint32_t before;
    atomic_uint most; /* of both */
};

struct sources {
    struct entry *entries;
    size_t set_mask;
    struct activity activity;
    pthread_mutex_t locks[LOCKS];
};

struct sources *sources_create(size_t entries) {
    CHECK(entries >= 1 && entries <= ENTRIES_MAX);
    size_t sets = 1;
    while (sets * SOURCES_WAYS < entries) {
        sets *= 2;
    }
    struct sources *sources = malloc(sizeof *sources);
    /* The kernel zeroes the memory when it is first used. */
    struct entry *memory = calloc(sets * SOURCES_WAYS, sizeof *memory);
    if (sources == NULL || memory == NULL) {
        free(memory);
        free(sources);
        return NULL;
    }
    sources->entries = memory;
    sources->set_mask = sets - 1;
    sources->activity = (struct activity){0};
    CHECK(pthread_mutex_init(&sources->activity.lock, NULL) == 0);
    for (size_t i = 0; i < LOCKS; i++) {
        CHECK(pthread_mutex_init(&sources->locks[i], NULL) == 0);
    }
    return sources;
}

void sources_free(struct sources *sources) {
    if (sources == NULL) {
        return;
    }
    for (size_t i = 0; i < LOCKS; i++) {
        CHECK(pthread_mutex_destroy(&sources->locks[i]) == 0);
    }
    CHECK(pthread_mutex_destroy(&sources->activity.lock) == 0);
    free(sources->entries);
    free(sources);
}

/* An IPv4 address mapped into IPv6 is the same source as the IPv4 address. */
static uint64_t prefix_of(const struct sockaddr *peer, uint8_t *family) {
    uint64_t prefix = 0;
    *family = AF_INET;
    if (peer->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)peer;
        memcpy(&prefix, &in->sin_addr, 4);
        return prefix;
    }
    const struct in6_addr *address = &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;
    CHECK(peer->sa_family == AF_INET6);
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        memcpy(&prefix, &address->s6_addr[12], 4);
        return prefix;
    }
    *family = AF_INET6;
    memcpy(&prefix, address, 8);
    return prefix;
}

static pthread_mutex_t *lock_set(struct sources *sources, size_t set) {
    pthread_mutex_t *lock = &sources->locks[set % LOCKS];
    pthread_mutex_lock(lock);
    return lock;
}

/* 40 bits of milliseconds are 34 years since boot. With 32 bits, a source that was away for 25 days would seem to be ahead.
 */
static uint64_t seen_ms(const struct entry *entry) {
    return (uint64_t)entry->seen_high << 32 | entry->seen_low;
}

static void set_seen(struct entry *entry, uint64_t now_ms) {
    entry->seen_low = (uint32_t)now_ms;
    entry->seen_high = (uint8_t)(now_ms >> 32);
}

/* Shards read their clocks once a turn, so that one of them may be a little behind: then no time has passed. */
static uint64_t elapsed(uint64_t now, uint64_t then) {
    return now > then ? now - then : 0;
}

static bool is_pinned(const struct entry *entry) {
    return entry->connections > 0;
}

static bool is_proved(const struct entry *entry, uint32_t now_s) {
    return entry->known_until_s > now_s;
}

/* Returns whether `entry` should make room before `other`. */
static bool goes_before(const struct entry *entry, const struct entry *other, uint64_t now_ms) {
    uint32_t now_s = (uint32_t)(now_ms / 1000);
    if (is_proved(entry, now_s) != is_proved(other, now_s)) {
        return !is_proved(entry, now_s);
    }
    return seen_ms(entry) < seen_ms(other);
}

/* Returns the entry of a source, or another that makes room and is emptied; NULL when the whole set is in use. */
static struct entry *find_or_replace(struct entry *set, uint64_t prefix, uint8_t family, uint64_t now_ms) {
    struct entry *victim = NULL;
    for (size_t i = 0; i < SOURCES_WAYS; i++) {
        struct entry *entry = &set[i];
        if (entry->family == family && entry->prefix == prefix) {
            return entry;
        }
        if (entry->family == FAMILY_NONE) {
            /* The entries of a set are used up in order, so nothing is behind it. */
            victim = entry;
            break;
        }
        if (!is_pinned(entry) && (victim == NULL || goes_before(entry, victim, now_ms))) {
            victim = entry;
        }
    }
    if (victim != NULL) {
        *victim = (struct entry){.prefix = prefix, .family = family, .tokens = UINT32_MAX};
        set_seen(victim, now_ms);
    }
    return victim;
}

/* Fills the bucket for the time that has passed, and takes one connection out of it. False: it is empty. */
static bool take_token(struct entry *entry, const struct source_limits *limits, uint64_t now_ms) {
    uint64_t full = (uint64_t)limits->burst * TOKEN;
    uint64_t passed_ms = elapsed(now_ms, seen_ms(entry));
    uint64_t tokens = entry->tokens + passed_ms * limits->rate;
    entry->tokens = (uint32_t)(tokens < full ? tokens : full);
    set_seen(entry, seen_ms(entry) + passed_ms);
    if (limits->rate == 0) {
        return true;
    }
    if (entry->tokens < TOKEN) {
        return false;
    }
    entry->tokens -= TOKEN;
    return true;
}

/* Returns the recent failures: half of them are forgotten with each half-life. */
static unsigned failures_of_late(const struct entry *entry, uint32_t now_s) {
    uint64_t halvings = elapsed(now_s, entry->failed_s) / SOURCES_FAILURE_HALF_LIFE_S;
    return halvings > 15 ? 0 : (unsigned)entry->failures >> halvings;
}

static enum source_standing standing_of(const struct entry *entry, uint32_t now_s) {
    unsigned failures = failures_of_late(entry, now_s);
    if (is_proved(entry, now_s)) {
        return failures < SOURCES_KNOWN_FAILURES_MAX ? SOURCE_KNOWN : SOURCE_UNKNOWN;
    }
    return failures < SOURCES_SUSPECT_FAILURES ? SOURCE_UNKNOWN : SOURCE_SUSPECT;
}

static uint32_t halved(uint32_t value, uint32_t halvings) {
    return halvings > 31 ? 0 : value >> halvings;
}

/* Returns the recent clients: half of them are forgotten with each half-life, but none that has a connection. */
static uint32_t vouched_of_late(const struct entry *entry, uint32_t now_s) {
    uint32_t halvings = (uint32_t)(elapsed(now_s, entry->vouched_s) / SOURCES_VOUCHED_HALF_LIFE_S);
    uint32_t vouched = halved(entry->vouched, halvings);
    return vouched > entry->distinct ? vouched : entry->distinct;
}

/* Brings `vouched` up to date, by whole half-lives. */
static void age_vouched(struct entry *entry, uint32_t now_s) {
    uint32_t halvings = (uint32_t)(elapsed(now_s, entry->vouched_s) / SOURCES_VOUCHED_HALF_LIFE_S);
    entry->vouched = vouched_of_late(entry, now_s);
    entry->vouched_s = entry->vouched == entry->distinct ? now_s : entry->vouched_s + halvings * SOURCES_VOUCHED_HALF_LIFE_S;
}

/* Returns how much a bound on a source is raised: as many as the source has vouched clients, if the source is known. */
static uint32_t raise_of(const struct entry *entry, uint32_t now_s) {
    return standing_of(entry, now_s) == SOURCE_KNOWN ? vouched_of_late(entry, now_s) : 0;
}

static bool has_place(const struct entry *entry, const struct source_limits *limits, uint32_t now_s) {
    uint32_t unproved = entry->connections - entry->proved;
    return limits->connections == 0 || unproved < limits->connections + raise_of(entry, now_s);
}

enum source_arrival sources_arrive(struct sources *sources, const struct sockaddr *peer, const struct source_limits *limits,
                                   uint64_t now_ms, uint32_t *source, enum source_standing *standing) {
    uint8_t family;
    uint64_t prefix = prefix_of(peer, &family);
    struct {
        uint64_t prefix;
        uint64_t family;
    } key = {prefix, family};
    size_t set = hash_bytes(&key, sizeof key) & sources->set_mask;
    enum source_arrival arrival = SOURCE_ADMITTED;

    *source = SOURCE_UNTRACKED;
    *standing = SOURCE_UNKNOWN;
    pthread_mutex_t *lock = lock_set(sources, set);
    struct entry *entry = find_or_replace(&sources->entries[set * SOURCES_WAYS], prefix, family, now_ms);
    if (entry != NULL) {
        *standing = standing_of(entry, (uint32_t)(now_ms / 1000));
        if (!has_place(entry, limits, (uint32_t)(now_ms / 1000))) {
            arrival = SOURCE_OVER_CONNECTIONS;
        } else if (!take_token(entry, limits, now_ms) && *standing != SOURCE_KNOWN) {
            arrival = SOURCE_OVER_RATE;
        } else {
            entry->connections++;
            *source = (uint32_t)(entry - sources->entries);
        }
    }
    pthread_mutex_unlock(lock);
    return arrival;
}

/* Returns the entry of a source, which a connection of the caller pins, and locks it. NULL: not tracked, nothing is locked.
 */
static struct entry *lock_entry(struct sources *sources, uint32_t source, pthread_mutex_t **lock) {
    if (source == SOURCE_UNTRACKED) {
        return NULL;
    }
    *lock = lock_set(sources, source / SOURCES_WAYS);
    CHECK(is_pinned(&sources->entries[source]));
    return &sources->entries[source];
}

void sources_leave(struct sources *sources, uint32_t source) {
    pthread_mutex_t *lock;
    struct entry *entry = lock_entry(sources, source, &lock);
    if (entry != NULL) {
        entry->connections--;
        CHECK(entry->waiting <= entry->connections && entry->proved <= entry->connections);
        pthread_mutex_unlock(lock);
    }
}

void sources_prove(struct sources *sources, uint32_t source, bool vouches, uint64_t now_ms) {
    pthread_mutex_t *lock;
    struct entry *entry = lock_entry(sources, source, &lock);
    if (entry != NULL) {
        uint32_t now_s = (uint32_t)(now_ms / 1000);
        entry->known_until_s = now_s + SOURCES_KNOWN_S;
        if (vouches) {
            entry->failures = (uint16_t)(failures_of_late(entry, now_s) / 2);
            entry->failed_s = now_s;
        }
        pthread_mutex_unlock(lock);
    }
}

void sources_fail(struct sources *sources, uint32_t source, uint32_t weight, uint64_t now_ms) {
    pthread_mutex_t *lock;
    struct entry *entry = lock_entry(sources, source, &lock);
    if (entry != NULL) {
        uint32_t now_s = (uint32_t)(now_ms / 1000);
        uint32_t halvings = (uint32_t)(elapsed(now_s, entry->failed_s) / SOURCES_FAILURE_HALF_LIFE_S);
        unsigned failures = failures_of_late(entry, now_s);
        /*
         * Move failed_s by whole half-lives. To set it to now would begin the half-life anew at each failure (never
         * forgiven); to leave it would apply the same halvings again each time (forgiven at once).
         */
        entry->failed_s = failures == 0 ? now_s : entry->failed_s + halvings * SOURCES_FAILURE_HALF_LIFE_S;
        entry->failures = (uint16_t)(failures + weight < SOURCES_FAILURES_MAX ? failures + weight : SOURCES_FAILURES_MAX);
        pthread_mutex_unlock(lock);
    }
}

enum source_standing sources_standing(struct sources *sources, uint32_t source, uint64_t now_ms) {
    pthread_mutex_t *lock;
    struct entry *entry = lock_entry(sources, source, &lock);
    if (entry == NULL) {
        return SOURCE_UNKNOWN;
    }
    enum source_standing standing = standing_of(entry, (uint32_t)(now_ms / 1000));
    pthread_mutex_unlock(lock);
    return standing;
}

void sources_credit(struct sources *sources, uint32_t source, bool vouches, bool first, uint64_t now_ms) {
    pthread_mutex_t *lock;
    struct entry *entry = lock_entry(sources, source, &lock);
    if (entry != NULL) {
        age_vouched(entry, (uint32_t)(now_ms / 1000));
        entry->vouched += vouches && entry->vouched < SOURCES_VOUCHED_MAX;
        entry->proved++;
        entry->distinct += first;
        CHECK(entry->proved <= entry->connections);
        pthread_mutex_unlock(lock);
    }
}

void sources_discredit(struct sources *sources, uint32_t source, bool first, uint64_t now_ms) {
    pthread_mutex_t *lock;
    struct entry *entry = lock_entry(sources, source, &lock);
    if (entry != NULL) {
        /* All clients may leave at once, and return: the count of recent clients stays for a while. */
        age_vouched(entry, (uint32_t)(now_ms / 1000));
        CHECK(entry->proved > 0 && entry->distinct >= first);
        entry->proved--;
        entry->distinct -= first;
        pthread_mutex_unlock(lock);
    }
}

/* Counts one more source that takes work in this second. */
static void count_active(struct activity *activity, uint64_t second) {
    pthread_mutex_lock(&activity->lock);
    if (second > activity->second) {
        activity->before = activity->now;
        activity->now = 0;
        activity->second = second;
    }
    activity->now++;
    uint32_t most = activity->now > activity->before ? activity->now : activity->before;
    atomic_store_explicit(&activity->most, most, memory_order_relaxed);
    pthread_mutex_unlock(&activity->lock);
}

/* Returns the work that a source may take in a second and save up, in microseconds of CPU time. */
static int64_t work_of_a_second(struct sources *sources, const struct entry *entry, unsigned cores, uint32_t now_s) {
    uint32_t active = atomic_load_explicit(&sources->activity.most, memory_order_relaxed);
    uint64_t clients = vouched_of_late(entry, now_s);
    uint64_t mille = SOURCES_WORK_MILLE + (clients > 1 ? clients - 1 : 0) * SOURCES_WORK_EACH_MILLE;
    uint64_t fair_mille = SOURCES_WORK_FAIR_MILLE / (active > 0 ? active : 1);
    CHECK(cores >= 1 && cores <= CORES_MAX);
    mille = mille > fair_mille ? mille : fair_mille;
    return (int64_t)(mille < 1000 ? mille : 1000) * 1000 * cores;
}

static void fill_work(struct sources *sources, struct entry *entry, unsigned cores, uint64_t now_ms) {
    uint64_t passed_ms = now_ms > entry->worked_ms ? now_ms - entry->worked_ms : 0;
    if (now_ms / 1000 > entry->worked_ms / 1000) {
        count_active(&sources->activity, now_ms / 1000);
    }
    int64_t full_us = work_of_a_second(sources, entry, cores, (uint32_t)(now_ms / 1000));
    /* After FORGIVEN_MS any debt of the source is paid. */
    passed_ms = passed_ms < FORGIVEN_MS ? passed_ms : FORGIVEN_MS;
    int64_t work_us = entry->work_us + full_us * (int64_t)passed_ms / 1000;
    entry->work_us = (int32_t)(work_us < full_us ? work_us : full_us);
    entry->worked_ms = now_ms > entry->worked_ms ? now_ms : entry->worked_ms;
}

void sources_spend(struct sources *sources, uint32_t source, uint64_t spent_ns, unsigned cores, uint64_t now_ms) {
    pthread_mutex_t *lock;
    struct entry *entry = lock_entry(sources, source, &lock);
    if (entry != NULL) {
        fill_work(sources, entry, cores, now_ms);
        int64_t left_us = entry->work_us - (int64_t)(spent_ns / 1000);
        entry->work_us = (int32_t)(left_us > -WORK_OWED_MAX_US ? left_us : -WORK_OWED_MAX_US);
        pthread_mutex_unlock(lock);
    }
}

bool sources_has_work(struct sources *sources, uint32_t source, unsigned cores, uint64_t now_ms) {
    pthread_mutex_t *lock;
    struct entry *entry = lock_entry(sources, source, &lock);
    if (entry == NULL) {
        return true;
    }
    fill_work(sources, entry, cores, now_ms);
    bool has = entry->work_us > 0;
    pthread_mutex_unlock(lock);
    return has;
}

bool sources_begin_wait(struct sources *sources, uint32_t source, uint32_t max, uint64_t now_ms) {
    pthread_mutex_t *lock;
    struct entry *entry = lock_entry(sources, source, &lock);
    if (entry == NULL) {
        return true;
    }
    bool may = entry->waiting < max + (uint64_t)raise_of(entry, (uint32_t)(now_ms / 1000));
    entry->waiting += may;
    pthread_mutex_unlock(lock);
    return may;
}

bool sources_waits_behind(struct sources *sources, uint32_t source, uint64_t now_ms) {
    pthread_mutex_t *lock;
    struct entry *entry = lock_entry(sources, source, &lock);
    if (entry == NULL) {
        return false;
    }
    bool behind = entry->waiting > SOURCES_WAITING_FRONT + vouched_of_late(entry, (uint32_t)(now_ms / 1000)) / 4;
    pthread_mutex_unlock(lock);
    return behind;
}

void sources_end_wait(struct sources *sources, uint32_t source) {
    pthread_mutex_t *lock;
    struct entry *entry = lock_entry(sources, source, &lock);
    if (entry != NULL) {
        CHECK(entry->waiting > 0);
        entry->waiting--;
        pthread_mutex_unlock(lock);
    }
}
