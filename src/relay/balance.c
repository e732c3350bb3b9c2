#include "relay/balance.h"

#include "base/check.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BALANCE_BEGIN = 32, /* the part of its whole share that a member has when its ramp begins: one in so many */
    BALANCE_CAPACITY_BEGIN = 4,
};
static const uint64_t stride_of_one = UINT64_C(1) << 40; /* of a share of 1 */

static uint64_t stride(const struct balance_member *member) {
    return stride_of_one / member->share;
}

/* Returns whether pass `a` comes before pass `b`: passes wrap, and are never far apart. */
static bool is_before(uint64_t a, uint64_t b) {
    return (int64_t)(a - b) < 0;
}

/* Returns whether `a` is to be chosen before `b`. */
static bool goes_first(const struct balance *balance, const struct balance_member *a, const struct balance_member *b) {
    if (balance->kind == CONFIG_LEAST_CONNECTIONS) {
        uint64_t left = (uint64_t)a->in_flight * b->share;
        uint64_t right = (uint64_t)b->in_flight * a->share;

        if (left != right) {
            return left < right;
        }
    }
    return a->pass != b->pass ? is_before(a->pass, b->pass) : a->index < b->index;
}

static void put(struct balance_member **heap, uint32_t place, struct balance_member *member) {
    heap[place] = member;
    member->place = (uint16_t)place;
}

static void sift_up(struct balance *balance, struct balance_member *member) {
    struct balance_member **heap = member->level->groups[member->group];
    uint32_t place = member->place;

    while (place > 0 && goes_first(balance, member, heap[(place - 1) / 2])) {
        put(heap, place, heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(heap, place, member);
}

static void sift_down(struct balance *balance, struct balance_member *member) {
    struct balance_member **heap = member->level->groups[member->group];
    uint32_t count = member->level->counts[member->group];
    uint32_t place = member->place;

    for (uint32_t child; (child = 2 * place + 1) < count; place = child) {
        if (child + 1 < count && goes_first(balance, heap[child + 1], heap[child])) {
            child++;
        }
        if (!goes_first(balance, heap[child], member)) {
            break;
        }
        put(heap, place, heap[child]);
    }
    put(heap, place, member);
}

static void take_out(struct balance *balance, struct balance_member *member) {
    struct balance_member **heap = member->level->groups[member->group];
    struct balance_member *last = heap[--member->level->counts[member->group]];

    balance->totals[member->group]--;
    if (last != member) {
        put(heap, member->place, last);
        sift_up(balance, last);
        sift_down(balance, last);
    }
}

/* Its turn does not come sooner than that of the members that were there meanwhile. */
static void put_in(struct balance *balance, struct balance_member *member, uint8_t group) {
    if (is_before(member->pass, balance->pass)) {
        member->pass = balance->pass;
    }
    member->group = group;
    balance->totals[group]++;
    put(member->level->groups[group], member->level->counts[group]++, member);
    sift_up(balance, member);
}

void balance_init(struct balance *balance, enum config_balance kind, uint32_t ramp_ms) {
    *balance = (struct balance){.kind = kind, .ramp_ms = ramp_ms};
}

static void free_level(struct balance_level *level) {
    free(level->groups[0]); /* with the others */
    free(level);
}

void balance_free(struct balance *balance) {
    for (uint32_t i = 0; i < balance->level_count; i++) {
        free_level(balance->levels[i]);
    }
    free(balance->levels);
    free(balance->all);
    *balance = (struct balance){.kind = balance->kind, .ramp_ms = balance->ramp_ms};
}

/* Makes room for one member more in the list of all. */
static int grow_capacity(struct balance *balance) {
    uint32_t capacity = balance->capacity == 0 ? BALANCE_CAPACITY_BEGIN : 2 * balance->capacity;

    if (balance->members < balance->capacity) {
        return 0;
    }
    if (capacity > BALANCE_MEMBERS_MAX) {
        return -ENOSPC;
    }
    struct balance_member **memory = calloc(capacity, sizeof *memory);
    if (memory == NULL) {
        return -ENOMEM;
    }
    if (balance->capacity > 0) {
        memcpy(memory, balance->all, balance->capacity * sizeof *memory);
    }
    free(balance->all);
    balance->all = memory;
    balance->next = balance->capacity;
    balance->capacity = capacity;
    return 0;
}

/* Makes room for one member more on the level: all groups may come to have all of them. */
static int grow_level(struct balance_level *level) {
    uint32_t capacity = level->capacity == 0 ? BALANCE_CAPACITY_BEGIN : 2 * level->capacity;

    if (level->members < level->capacity) {
        return 0;
    }
    struct balance_member **memory = calloc((size_t)capacity * BALANCE_GROUPS, sizeof *memory);
    if (memory == NULL) {
        return -ENOMEM;
    }
    struct balance_member **before = level->groups[0];
    for (unsigned i = 0; i < BALANCE_GROUPS; i++) {
        struct balance_member **heap = memory + (size_t)capacity * i;

        if (level->counts[i] > 0) {
            memcpy(heap, level->groups[i], level->counts[i] * sizeof *heap);
        }
        level->groups[i] = heap;
    }
    free(before);
    level->capacity = capacity;
    return 0;
}

/* Returns the place of the first level that is not of a lower rank. */
static uint32_t place_of_rank(const struct balance *balance, uint32_t rank) {
    uint32_t place = 0;

    while (place < balance->level_count && balance->levels[place]->rank < rank) {
        place++;
    }
    return place;
}

/* Makes an empty level at this place. NULL: out of memory. */
static struct balance_level *make_level(struct balance *balance, uint32_t place, uint32_t rank) {
    if (balance->level_count == balance->level_capacity) {
        uint32_t capacity = 2 * balance->level_capacity + 1;
        struct balance_level **levels = realloc(balance->levels, capacity * sizeof(struct balance_level *));

        if (levels == NULL) {
            return NULL;
        }
        balance->levels = levels;
        balance->level_capacity = capacity;
    }
    struct balance_level *level = calloc(1, sizeof *level);
    if (level == NULL) {
        return NULL;
    }
    level->rank = rank;
    memmove(&balance->levels[place + 1], &balance->levels[place],
            (balance->level_count - place) * sizeof(struct balance_level *));
    balance->levels[place] = level;
    balance->level_count++;
    return level;
}

static void end_if_empty(struct balance *balance, struct balance_level *level) {
    if (level->members > 0) {
        return;
    }
    uint32_t place = place_of_rank(balance, level->rank);
    balance->level_count--;
    memmove(&balance->levels[place], &balance->levels[place + 1],
            (balance->level_count - place) * sizeof(struct balance_level *));
    free_level(level);
}

/* Returns the level of a rank with room for one member more, or NULL: out of memory. */
static struct balance_level *prepare_level(struct balance *balance, uint32_t rank) {
    uint32_t place = place_of_rank(balance, rank);
    bool there = place < balance->level_count && balance->levels[place]->rank == rank;
    struct balance_level *level = there ? balance->levels[place] : make_level(balance, place, rank);

    if (level == NULL || grow_level(level) == 0) {
        return level;
    }
    end_if_empty(balance, level);
    return NULL;
}

static void set_whole(struct balance *balance, struct balance_member *member, uint32_t whole) {
    CHECK(whole >= 1 && whole <= BALANCE_WHOLE_MAX);
    balance->whole = balance->whole == 0 ? whole : balance->whole;
    balance->uneven = balance->uneven || whole != balance->whole;
    member->whole = whole;
    member->share = whole;
}

int balance_add(struct balance *balance, struct balance_member *member, uint32_t rank, uint8_t group) {
    CHECK(group < BALANCE_GROUPS);
    int error = grow_capacity(balance);
    if (error < 0) {
        return error;
    }
    struct balance_level *level = prepare_level(balance, rank);
    if (level == NULL) {
        return -ENOMEM;
    }
    while (balance->all[balance->next % balance->capacity] != NULL) {
        balance->next++;
    }
    uint32_t index = balance->next++ % balance->capacity;
    balance->members++;
    level->members++;
    balance->all[index] = member;
    member->index = (uint16_t)index;
    member->level = level;
    set_whole(balance, member, member->whole);
    /* Half a stride, so that light members go in the middle of the turns of heavy ones, not all at first. */
    member->pass = balance->pass + stride(member) / 2;
    put_in(balance, member, group);
    return 0;
}

static void end_ramp(struct balance *balance, struct balance_member *member) {
    if (member->ramps) {
        member->ramps = false;
        balance->ramping--;
    }
}

void balance_remove(struct balance *balance, struct balance_member *member) {
    CHECK(balance->all[member->index] == member);
    end_ramp(balance, member);
    take_out(balance, member);
    balance->all[member->index] = NULL;
    balance->members--;
    member->level->members--;
    end_if_empty(balance, member->level);
    member->level = NULL;
}

int balance_change(struct balance *balance, struct balance_member *member, uint32_t rank, uint32_t whole) {
    struct balance_level *before = member->level;
    struct balance_level *level = before->rank == rank ? before : prepare_level(balance, rank);

    if (level == NULL) {
        return -ENOMEM;
    }
    end_ramp(balance, member);
    take_out(balance, member);
    before->members--;
    level->members++;
    member->level = level;
    set_whole(balance, member, whole);
    member->pass = balance->pass + stride(member) / 2;
    put_in(balance, member, member->group);
    end_if_empty(balance, before);
    return 0;
}

void balance_move(struct balance *balance, struct balance_member *member, uint8_t group) {
    CHECK(group < BALANCE_GROUPS);
    if (member->group != group) {
        take_out(balance, member);
        put_in(balance, member, group);
    }
}

static uint32_t share_at(const struct balance *balance, const struct balance_member *member, uint64_t now_ms) {
    uint64_t since_ms = now_ms - member->ramp_ms;
    uint32_t least = (member->whole + BALANCE_BEGIN - 1) / BALANCE_BEGIN;

    if (since_ms >= balance->ramp_ms) {
        return member->whole;
    }
    uint32_t part = (uint32_t)(member->whole * since_ms / balance->ramp_ms);
    return part > least ? part : least;
}

/* The turn of a member whose share has grown comes sooner. */
static void set_share(struct balance *balance, struct balance_member *member, uint32_t share) {
    member->share = share;
    if (is_before(balance->pass + stride(member), member->pass)) {
        member->pass = balance->pass + stride(member);
    }
    sift_up(balance, member);
    sift_down(balance, member);
}

void balance_ramp(struct balance *balance, struct balance_member *member, uint64_t now_ms) {
    if (balance->ramp_ms == 0) {
        return;
    }
    balance->ramping += !member->ramps;
    member->ramps = true;
    member->ramp_ms = now_ms;
    set_share(balance, member, share_at(balance, member, now_ms));
}

void balance_grow(struct balance *balance, uint64_t now_ms) {
    for (uint32_t i = 0; i < balance->capacity && balance->ramping > 0; i++) {
        struct balance_member *member = balance->all[i];

        if (member != NULL && member->ramps) {
            set_share(balance, member, share_at(balance, member, now_ms));
            if (member->share == member->whole) {
                end_ramp(balance, member);
            }
        }
    }
}

void balance_enter(struct balance *balance, struct balance_member *member) {
    member->in_flight++;
    if (balance->kind == CONFIG_LEAST_CONNECTIONS) {
        sift_down(balance, member);
    }
}

void balance_leave(struct balance *balance, struct balance_member *member) {
    CHECK(member->in_flight > 0);
    member->in_flight--;
    if (balance->kind == CONFIG_LEAST_CONNECTIONS) {
        sift_up(balance, member);
    }
}

bool balance_was_tried(const struct balance_tried *tried, const struct balance_member *member) {
    for (unsigned i = 0; i < tried->count; i++) {
        if (tried->members[i] == member->index) {
            return true;
        }
    }
    return false;
}

bool balance_note_tried(struct balance_tried *tried, const struct balance_member *member) {
    if (balance_was_tried(tried, member)) {
        return true;
    }
    if (tried->count == BALANCE_TRIES_MAX) {
        return false;
    }
    tried->members[tried->count++] = member->index;
    return true;
}

struct balance_member *balance_first(const struct balance *balance, const struct balance_level *level, unsigned group,
                                     const struct balance_tried *tried) {
    struct balance_member **heap = level->groups[group];
    struct balance_member *first = NULL;

    if (level->counts[group] > 0 && !balance_was_tried(tried, heap[0])) {
        return heap[0];
    }
    for (uint32_t i = 1; i < level->counts[group]; i++) {
        if (!balance_was_tried(tried, heap[i]) && (first == NULL || goes_first(balance, heap[i], first))) {
            first = heap[i];
        }
    }
    return first;
}

static struct balance_member *choose_by_turn(struct balance *balance, const struct balance_level *level, unsigned group,
                                             const struct balance_tried *tried) {
    struct balance_member *chosen = balance_first(balance, level, group, tried);

    if (chosen == NULL) {
        return NULL;
    }
    /* Where members were passed over because they were tried, their turn is still to come. */
    const struct balance_member *next = level->groups[group][0];
    if (is_before(balance->pass, next->pass)) {
        balance->pass = next->pass;
    }
    if (is_before(chosen->pass, balance->pass)) {
        chosen->pass = balance->pass;
    }
    chosen->pass += stride(chosen);
    sift_down(balance, chosen);
    return chosen;
}

/* The finalizer of SplitMix64 (Steele, Lea and Flood 2014): every bit of the result depends on every bit of `value`. */
static uint64_t mix(uint64_t value) {
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* Returns the hash as a number between 0 and 1. */
static double unit(uint64_t hash) {
    return ((double)(hash >> 11) + 0.5) * 0x1p-53;
}

/*
 * Returns -w / ln(h), or less than `best` where the result would be no better: a logarithm is needed for few members only,
 * since -ln(h) is 1 - h at least, and more than a rounding error more unless h is next to 1.
 */
static double score(double h, uint32_t weight, double best) {
    const double margin = 1 + 1e-9;

    return weight * margin <= best * (1 - h) ? -1 : -(double)weight / log(h);
}

static struct balance_member *choose_by_hash(const struct balance *balance, const struct balance_level *level,
                                             unsigned group, const struct balance_tried *tried, uint64_t client) {
    struct balance_member *best = NULL;
    uint64_t best_hash = 0;
    double best_score = 0;

    for (uint32_t i = 0; i < level->counts[group]; i++) {
        struct balance_member *member = level->groups[group][i];
        uint64_t hash = mix(client ^ member->digest);
        /* The score grows with the hash: where all weights are equal, the order of both is the same. */
        double member_score = balance->uneven ? score(unit(hash), member->whole, best_score) : 0;
        bool is_better = balance->uneven ? member_score > best_score : hash > best_hash;

        if ((best == NULL || is_better) && !balance_was_tried(tried, member)) {
            best = member;
            best_hash = hash;
            best_score = member_score;
        }
    }
    return best;
}

struct balance_member *balance_choose(struct balance *balance, const struct balance_level *level, unsigned group,
                                      const struct balance_tried *tried, uint64_t client) {
    CHECK(group < BALANCE_GROUPS);
    return balance->kind == CONFIG_HASH ? choose_by_hash(balance, level, group, tried, client)
                                        : choose_by_turn(balance, level, group, tried);
}
