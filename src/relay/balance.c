#include "relay/balance.h"

#include "base/check.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BALANCE_ONE = 256,        /* the share of a member of weight 1 */
    BALANCE_BEGIN = 8,        /* the share of the same when its ramp begins */
    BALANCE_STRIDE = 1 << 26, /* of a share of 1 */
    BALANCE_CAPACITY_BEGIN = 4,
};

static uint64_t stride(const struct balance_member *member) {
    return BALANCE_STRIDE / member->share;
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
    struct balance_member **heap = balance->groups[member->group];
    uint32_t place = member->place;

    while (place > 0 && goes_first(balance, member, heap[(place - 1) / 2])) {
        put(heap, place, heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(heap, place, member);
}

static void sift_down(struct balance *balance, struct balance_member *member) {
    struct balance_member **heap = balance->groups[member->group];
    uint32_t count = balance->counts[member->group];
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
    struct balance_member **heap = balance->groups[member->group];
    struct balance_member *last = heap[--balance->counts[member->group]];

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
    put(balance->groups[group], balance->counts[group]++, member);
    sift_up(balance, member);
}

void balance_init(struct balance *balance, enum config_balance kind, uint32_t ramp_ms) {
    *balance = (struct balance){.kind = kind, .ramp_ms = ramp_ms};
}

void balance_free(struct balance *balance) {
    free(balance->all); /* with the groups */
    *balance = (struct balance){.kind = balance->kind, .ramp_ms = balance->ramp_ms};
}

static int grow_capacity(struct balance *balance) {
    uint32_t capacity = balance->capacity == 0 ? BALANCE_CAPACITY_BEGIN : 2 * balance->capacity;
    struct balance_member **memory =
        capacity > BALANCE_MEMBERS_MAX ? NULL : calloc((size_t)capacity * (BALANCE_GROUPS + 1), sizeof *memory);

    if (memory == NULL) {
        return capacity > BALANCE_MEMBERS_MAX ? -ENOSPC : -ENOMEM;
    }
    if (balance->capacity > 0) {
        memcpy(memory, balance->all, balance->capacity * sizeof *memory);
    }
    for (unsigned i = 0; i < BALANCE_GROUPS; i++) {
        struct balance_member **heap = memory + (size_t)capacity * (i + 1);

        if (balance->counts[i] > 0) {
            memcpy(heap, balance->groups[i], balance->counts[i] * sizeof *heap);
        }
        balance->groups[i] = heap;
    }
    free(balance->all);
    balance->all = memory;
    balance->next = balance->capacity;
    balance->capacity = capacity;
    return 0;
}

int balance_add(struct balance *balance, struct balance_member *member, uint8_t group) {
    CHECK(member->weight >= 1 && member->weight <= CONFIG_WEIGHT_MAX && group < BALANCE_GROUPS);
    if (balance->members == balance->capacity) {
        int error = grow_capacity(balance);

        if (error < 0) {
            return error;
        }
    }
    while (balance->all[balance->next % balance->capacity] != NULL) {
        balance->next++;
    }
    uint32_t index = balance->next++ % balance->capacity;
    balance->members++;
    balance->weight = balance->weight == 0 ? member->weight : balance->weight;
    balance->uneven = balance->uneven || member->weight != balance->weight;
    balance->all[index] = member;
    member->index = (uint16_t)index;
    member->share = (uint32_t)member->weight * BALANCE_ONE;
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
    uint32_t least = (uint32_t)member->weight * BALANCE_BEGIN;
    uint32_t whole = (uint32_t)member->weight * BALANCE_ONE;

    if (since_ms >= balance->ramp_ms) {
        return whole;
    }
    uint32_t part = (uint32_t)(whole * since_ms / balance->ramp_ms);
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
            if (member->share == (uint32_t)member->weight * BALANCE_ONE) {
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

struct balance_member *balance_first(const struct balance *balance, unsigned group, const struct balance_tried *tried) {
    struct balance_member **heap = balance->groups[group];
    struct balance_member *first = NULL;

    if (balance->counts[group] > 0 && !balance_was_tried(tried, heap[0])) {
        return heap[0];
    }
    for (uint32_t i = 1; i < balance->counts[group]; i++) {
        if (!balance_was_tried(tried, heap[i]) && (first == NULL || goes_first(balance, heap[i], first))) {
            first = heap[i];
        }
    }
    return first;
}

static struct balance_member *choose_by_turn(struct balance *balance, unsigned group, const struct balance_tried *tried) {
    struct balance_member *chosen = balance_first(balance, group, tried);

    if (chosen == NULL) {
        return NULL;
    }
    /* Where members were passed over because they were tried, their turn is still to come. */
    const struct balance_member *next = balance->groups[group][0];
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
static double score(double h, uint16_t weight, double best) {
    const double margin = 1 + 1e-9;

    return weight * margin <= best * (1 - h) ? -1 : -(double)weight / log(h);
}

static struct balance_member *choose_by_hash(const struct balance *balance, unsigned group,
                                             const struct balance_tried *tried, uint64_t client) {
    struct balance_member *best = NULL;
    uint64_t best_hash = 0;
    double best_score = 0;

    for (uint32_t i = 0; i < balance->counts[group]; i++) {
        struct balance_member *member = balance->groups[group][i];
        uint64_t hash = mix(client ^ member->digest);
        /* The score grows with the hash: where all weights are equal, the order of both is the same. */
        double member_score = balance->uneven ? score(unit(hash), member->weight, best_score) : 0;
        bool is_better = balance->uneven ? member_score > best_score : hash > best_hash;

        if ((best == NULL || is_better) && !balance_was_tried(tried, member)) {
            best = member;
            best_hash = hash;
            best_score = member_score;
        }
    }
    return best;
}

struct balance_member *balance_choose(struct balance *balance, unsigned group, const struct balance_tried *tried,
                                      uint64_t client) {
    CHECK(group < BALANCE_GROUPS);
    return balance->kind == CONFIG_HASH ? choose_by_hash(balance, group, tried, client)
                                        : choose_by_turn(balance, group, tried);
}
