#include "guard/holders.h"

#include "base/check.h"
#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    LOCKS = 256,  /* a power of two; each is held for the look-up in one set */
    TOKEN = 1000, /* handshakes are counted in thousandths: the rate is what a millisecond adds */
    ENTRIES_MAX = 1 << 26,
    REPORTED_RATE = 1,
    REPORTED_SOURCES = 2,
};

struct entry {
    uint64_t name; /* 0: never used */
    uint64_t seen_ms;
    uint64_t vouched_ms;
    uint32_t tokens;    /* handshakes, as of seen_ms */
    uint32_t source_ms; /* time saved for new sources, as of seen_ms: one costs HOLDERS_SOURCE_REFILL_MS */
    uint32_t connections;
    uint32_t reported; /* bits of the bounds that it was over before: REPORTED_... */
};
_Static_assert(sizeof(struct entry) == HOLDERS_ENTRY_SIZE, "see holders.h");

struct holders {
    struct entry *entries;
    size_t set_mask;
    pthread_mutex_t locks[LOCKS];
};

struct holders *holders_create(size_t entries) {
    CHECK(entries >= 1 && entries <= ENTRIES_MAX);
    size_t sets = 1;
    while (sets * HOLDERS_WAYS < entries) {
        sets *= 2;
    }
    struct holders *holders = malloc(sizeof *holders);
    /* The kernel zeroes the memory when it is first used. */
    struct entry *memory = calloc(sets * HOLDERS_WAYS, sizeof *memory);
    if (holders == NULL || memory == NULL) {
        free(memory);
        free(holders);
        return NULL;
    }
    holders->entries = memory;
    holders->set_mask = sets - 1;
    for (size_t i = 0; i < LOCKS; i++) {
        CHECK(pthread_mutex_init(&holders->locks[i], NULL) == 0);
    }
    return holders;
}

void holders_free(struct holders *holders) {
    if (holders == NULL) {
        return;
    }
    for (size_t i = 0; i < LOCKS; i++) {
        CHECK(pthread_mutex_destroy(&holders->locks[i]) == 0);
    }
    free(holders->entries);
    free(holders);
}

/* Returns the entry of this name, or another that makes room and is emptied; NULL when the whole set is in use. */
static struct entry *find_or_replace(struct entry *set, uint64_t name, uint64_t now_ms) {
    struct entry *victim = NULL;
    for (size_t i = 0; i < HOLDERS_WAYS; i++) {
        struct entry *entry = &set[i];
        if (entry->name == name) {
            return entry;
        }
        if (entry->connections == 0 && (victim == NULL || entry->seen_ms < victim->seen_ms)) {
            victim = entry;
        }
    }
    if (victim != NULL) {
        *victim = (struct entry){.name = name, .seen_ms = now_ms, .tokens = UINT32_MAX, .source_ms = UINT32_MAX};
    }
    return victim;
}

static uint32_t fill(uint32_t level, uint64_t more, uint64_t full) {
    return level + more < full ? (uint32_t)(level + more) : (uint32_t)full;
}

/* Adds tokens for the time since the last handshake. A clock that is a little behind adds nothing. */
static void refill(struct entry *entry, const struct holder_limits *limits, uint64_t now_ms) {
    uint64_t passed_ms = now_ms > entry->seen_ms ? now_ms - entry->seen_ms : 0;
    entry->tokens = fill(entry->tokens, passed_ms * limits->rate, (uint64_t)limits->rate * HOLDERS_BURST_S * TOKEN);
    entry->source_ms = fill(entry->source_ms, passed_ms, (uint64_t)limits->sources * HOLDERS_SOURCE_REFILL_MS);
    entry->seen_ms += passed_ms;
}

static bool take(uint32_t *level, uint32_t amount) {
    if (*level < amount) {
        return false;
    }
    *level -= amount;
    return true;
}

static bool is_news(struct entry *entry, bool is_over, uint32_t bound) {
    bool is = is_over && (entry->reported & bound) == 0;
    entry->reported |= is ? bound : 0;
    return is;
}

static void judge(struct entry *entry, const struct holder_limits *limits, bool in_person, bool new_source, uint64_t now_ms,
                  struct holder_worth *worth) {
    refill(entry, limits, now_ms);
    worth->within_rate = limits->rate == 0 || take(&entry->tokens, TOKEN);
    worth->within_connections = limits->connections == 0 || entry->connections < limits->connections;
    if (new_source && worth->within_rate && limits->sources != 0) {
        worth->within_sources = take(&entry->source_ms, HOLDERS_SOURCE_REFILL_MS);
    }
    worth->rate_is_news = is_news(entry, !worth->within_rate, REPORTED_RATE);
    worth->sources_are_news = is_news(entry, !worth->within_sources, REPORTED_SOURCES);
    worth->first = entry->connections == 0;
    worth->vouches = in_person && (entry->vouched_ms == 0 || now_ms >= entry->vouched_ms + (uint64_t)HOLDERS_VOUCH_S * 1000);
    if (worth->vouches) {
        entry->vouched_ms = now_ms;
    }
}

uint32_t holders_arrive(struct holders *holders, const uint8_t fingerprint[static 32], const struct holder_limits *limits,
                        bool in_person, bool new_source, uint64_t now_ms, struct holder_worth *worth) {
    uint64_t name = hash_bytes(fingerprint, 32);
    size_t set = name & holders->set_mask;
    uint32_t holder = HOLDER_UNTRACKED;

    *worth = (struct holder_worth){.within_rate = true, .within_connections = true, .within_sources = true};
    name = name != 0 ? name : 1;
    pthread_mutex_t *lock = &holders->locks[set % LOCKS];
    pthread_mutex_lock(lock);
    struct entry *entry = find_or_replace(&holders->entries[set * HOLDERS_WAYS], name, now_ms);
    if (entry != NULL) {
        judge(entry, limits, in_person, new_source, now_ms, worth);
        entry->connections++;
        holder = (uint32_t)(entry - holders->entries);
    }
    pthread_mutex_unlock(lock);
    return holder;
}

void holders_leave(struct holders *holders, uint32_t holder) {
    if (holder == HOLDER_UNTRACKED) {
        return;
    }
    pthread_mutex_t *lock = &holders->locks[holder / HOLDERS_WAYS % LOCKS];
    pthread_mutex_lock(lock);
    CHECK(holders->entries[holder].connections > 0);
    holders->entries[holder].connections--;
    pthread_mutex_unlock(lock);
}
