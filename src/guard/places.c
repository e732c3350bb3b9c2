#include "guard/places.h"

#include "base/check.h"

#include <stddef.h>

/* A newcomer of at least the rank `newcomer` may have the place of a rank up to `victim` that is in the stage for so long.
 */
struct rule {
    enum places_rank newcomer;
    enum places_stage stage;
    uint32_t least_ms;
    enum places_rank victim;
};

/* In order: the first rule that finds a place decides. */
static const struct rule rules[] = {
    /* A client that does not use its place need not keep it. */
    {PLACES_SUSPECT, PLACES_SILENT, PLACES_SILENT_MS, PLACES_STRANGER},
    {PLACES_SUSPECT, PLACES_SPEAKING, PLACES_EARLY_MS, PLACES_STRANGER},
    {PLACES_SUSPECT, PLACES_HOLDING, PLACES_EARLY_MS, PLACES_STRANGER},
    /* Equals among themselves, so that none can keep a place for good while others wait for one. */
    {PLACES_SUSPECT, PLACES_ENDING, PLACES_ENDING_MS, PLACES_SUSPECT},
    {PLACES_SUSPECT, PLACES_IDLE, 0, PLACES_SUSPECT},
    {PLACES_SUSPECT, PLACES_UNREAD, PLACES_BUSY_MS, PLACES_SUSPECT},
    {PLACES_SUSPECT, PLACES_KEEPING, PLACES_BUSY_MS, PLACES_SUSPECT},
    {PLACES_SUSPECT, PLACES_BUSY, PLACES_BUSY_MS, PLACES_SUSPECT},
    {PLACES_STRANGER, PLACES_ENDING, PLACES_ENDING_MS, PLACES_STRANGER},
    {PLACES_STRANGER, PLACES_IDLE, 0, PLACES_STRANGER},
    {PLACES_STRANGER, PLACES_UNREAD, PLACES_BUSY_MS, PLACES_STRANGER},
    {PLACES_STRANGER, PLACES_KEEPING, PLACES_BUSY_MS, PLACES_STRANGER},
    {PLACES_STRANGER, PLACES_BUSY, PLACES_BUSY_MS, PLACES_STRANGER},
    /* A known client does not wait for a stranger. */
    {PLACES_KNOWN, PLACES_ENDING, 0, PLACES_STRANGER},
    {PLACES_KNOWN, PLACES_SILENT, 0, PLACES_STRANGER},
    {PLACES_KNOWN, PLACES_UNREAD, 0, PLACES_STRANGER},
    {PLACES_KNOWN, PLACES_KEEPING, 0, PLACES_STRANGER},
    {PLACES_KNOWN, PLACES_SPEAKING, 0, PLACES_RETURNING},
    {PLACES_KNOWN, PLACES_HOLDING, 0, PLACES_RETURNING},
    {PLACES_KNOWN, PLACES_BUSY, 0, PLACES_STRANGER},
    /* Equals again: a stranger may have the address of a known client. */
    {PLACES_KNOWN, PLACES_SILENT, PLACES_SILENT_MS, PLACES_KNOWN},
    {PLACES_KNOWN, PLACES_SPEAKING, PLACES_EARLY_MS, PLACES_KNOWN},
    {PLACES_KNOWN, PLACES_HOLDING, PLACES_EARLY_MS, PLACES_KNOWN},
    {PLACES_KNOWN, PLACES_ENDING, PLACES_ENDING_MS, PLACES_KNOWN},
    {PLACES_KNOWN, PLACES_IDLE, 0, PLACES_KNOWN},
    {PLACES_KNOWN, PLACES_UNREAD, PLACES_BUSY_MS, PLACES_KNOWN},
    {PLACES_KNOWN, PLACES_KEEPING, PLACES_BUSY_MS, PLACES_KNOWN},
    {PLACES_KNOWN, PLACES_BUSY, PLACES_BUSY_MS, PLACES_KNOWN},
};

static const uint32_t allowed_ms[PLACES_STAGES] = {
    [PLACES_SILENT] = PLACES_SILENT_MS, [PLACES_SPEAKING] = PLACES_EARLY_MS, [PLACES_HOLDING] = PLACES_EARLY_MS,
    [PLACES_BUSY] = PLACES_BUSY_MS,     [PLACES_KEEPING] = PLACES_BUSY_MS,   [PLACES_UNREAD] = PLACES_BUSY_MS,
    [PLACES_ENDING] = PLACES_ENDING_MS,
};

static bool is_held(enum places_stage stage) {
    return stage != PLACES_NONE && stage != PLACES_GOING;
}

static bool is_early(enum places_stage stage) {
    return stage >= PLACES_SILENT && stage <= PLACES_HOLDING;
}

static bool is_asking(enum places_stage stage) {
    return stage >= PLACES_BUSY && stage <= PLACES_UNREAD;
}

/* Returns the queue of a place; NULL: it is in none. */
static struct places_queue *queue_of(struct places *places, const struct place *place) {
    if (place->rank == PLACES_VALID || place->stage == PLACES_NONE) {
        return NULL;
    }
    return &places->queues[place->rank][place->stage];
}

static void count(struct places *places, const struct place *place, uint32_t one) {
    if (is_held((enum places_stage)place->stage)) {
        places->held += one;
        places->strangers += place->rank < PLACES_KNOWN ? one : 0;
    } else if (place->stage == PLACES_GOING) {
        places->going += one;
    }
}

static void enlist(struct places *places, struct place *place) {
    struct places_queue *queue = queue_of(places, place);

    count(places, place, 1);
    if (queue != NULL) {
        place->newer = NULL;
        place->older = queue->newest;
        *(queue->newest != NULL ? &queue->newest->newer : &queue->oldest) = place;
        queue->newest = place;
    }
}

static void delist(struct places *places, struct place *place) {
    struct places_queue *queue = queue_of(places, place);

    count(places, place, UINT32_MAX); /* one less */
    if (queue != NULL) {
        *(place->newer != NULL ? &place->newer->older : &queue->newest) = place->older;
        *(place->older != NULL ? &place->older->newer : &queue->oldest) = place->newer;
    }
}

void places_set(struct places *places, struct place *place, enum places_rank rank, enum places_stage stage,
                uint64_t now_ns) {
    enum places_stage before = (enum places_stage)place->stage;

    CHECK(rank < PLACES_RANKS && stage > PLACES_NONE && stage < PLACES_STAGES);
    if (before == stage && place->rank == rank) {
        return;
    }
    delist(places, place);
    /* The time of a handshake, and of a request, counts from its begin through all its stages. */
    if (before != stage && !(is_early(before) && is_early(stage)) && !(is_asking(before) && is_asking(stage))) {
        place->since_ns = now_ns;
    }
    place->rank = (uint8_t)rank;
    place->stage = (uint8_t)stage;
    enlist(places, place);
}

void places_ask(struct places *places, struct place *place, uint64_t now_ns) {
    CHECK(place->stage == PLACES_IDLE || is_asking((enum places_stage)place->stage));
    delist(places, place);
    place->since_ns = now_ns;
    place->stage = PLACES_BUSY;
    enlist(places, place);
}

void places_leave(struct places *places, struct place *place) {
    delist(places, place);
    place->stage = PLACES_NONE;
}

static uint32_t open_to_strangers(uint32_t max) {
    return max - max / PLACES_RESERVE;
}

bool places_have_room(const struct places *places, enum places_rank newcomer, uint32_t max) {
    return places->held < max && (newcomer >= PLACES_KNOWN || places->strangers < open_to_strangers(max));
}

static bool is_there_for(const struct place *place, uint32_t least_ms, uint64_t now_ns) {
    return now_ns - place->since_ns >= (uint64_t)least_ms * 1000000;
}

bool places_is_overdue(const struct place *place, uint64_t now_ns) {
    return allowed_ms[place->stage] > 0 && is_there_for(place, allowed_ms[place->stage], now_ns);
}

struct place *places_find(const struct places *places, enum places_rank newcomer, uint32_t max, uint64_t now_ns) {
    if (newcomer < PLACES_KNOWN && places->held > max) {
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++) {
        const struct rule *rule = &rules[i];

        for (unsigned rank = PLACES_SUSPECT; newcomer >= rule->newcomer && rank <= rule->victim; rank++) {
            struct place *oldest = places->queues[rank][rule->stage].oldest;

            if (oldest != NULL && is_there_for(oldest, rule->least_ms, now_ns)) {
                return oldest;
            }
        }
    }
    return NULL;
}

bool places_are_full(const struct places *places, uint32_t max) {
    return !places_have_room(places, PLACES_STRANGER, max);
}

bool places_are_crowded(const struct places *places, uint32_t max) {
    return places->held >= max - max / PLACES_CROWDED;
}

struct place *places_oldest(const struct places *places, enum places_stage stage, const struct place *except) {
    for (unsigned rank = PLACES_SUSPECT; rank < PLACES_VALID; rank++) {
        struct place *oldest = places->queues[rank][stage].oldest;

        if (oldest != NULL && oldest == except) {
            oldest = oldest->newer;
        }
        if (oldest != NULL) {
            return oldest;
        }
    }
    return NULL;
}
