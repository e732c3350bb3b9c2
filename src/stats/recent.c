#include "stats/recent.h"

#include "base/check.h"

static void add_slot(const struct recent *recent, uint64_t slot, uint64_t counts[static RECENT_COUNTS]) {
    for (unsigned i = 0; i < RECENT_COUNTS; i++) {
        counts[i] += recent->slots[slot % RECENT_SLOTS][i];
    }
}

void recent_last_minute(const struct recent *recent, uint64_t counts[static RECENT_COUNTS]) {
    memset(counts, 0, RECENT_COUNTS * sizeof *counts);
    for (unsigned slot = 0; slot < RECENT_SLOTS; slot++) {
        add_slot(recent, slot, counts);
    }
}

/* Adds up the two slots before `slot`. */
static void moment_before(const struct recent *recent, uint64_t slot, uint64_t counts[static RECENT_COUNTS]) {
    memset(counts, 0, RECENT_COUNTS * sizeof *counts);
    for (uint64_t i = slot - RECENT_MOMENT_SLOTS; i < slot; i++) {
        add_slot(recent, i, counts);
    }
}

void recent_last_moment(const struct recent *recent, uint64_t counts[static RECENT_COUNTS]) {
    moment_before(recent, recent->second / RECENT_SLOT_S + RECENT_SLOTS, counts);
}

/* Notes that a slot has ended, and with it a moment, but for the first ones, which began before the first sample. */
static void end_slot(struct recent *recent) {
    uint64_t counts[RECENT_COUNTS], slot = recent->second / RECENT_SLOT_S;
    if (slot >= recent->first / RECENT_SLOT_S + RECENT_MOMENT_SLOTS) {
        moment_before(recent, slot + 1, counts);
        uint64_t good = recent_good(counts);
        recent->minute.good_of_moment = good < recent->minute.good_of_moment ? good : recent->minute.good_of_moment;
    }
}

/* Empties the slots that have begun since the last sample: they still hold the counts of a minute ago. */
static void move_on(struct recent *recent, uint64_t second) {
    uint64_t slot = recent->second / RECENT_SLOT_S;
    uint64_t slots = second / RECENT_SLOT_S - slot;
    if (slots > 0) {
        end_slot(recent);
    }
    for (uint64_t i = 1; i <= slots && i <= RECENT_SLOTS; i++) {
        memset(recent->slots[(slot + i) % RECENT_SLOTS], 0, sizeof recent->slots[0]);
    }
}

static void end_minute(struct recent *recent) {
    if (recent->in_doubt) {
        recent->minutes_in_doubt++;
        if (recent->minutes_in_doubt >= RECENT_FORGET_MINUTES) {
            recent->minutes_known = 0;
        }
    } else {
        memmove(recent->minutes + 1, recent->minutes, (RECENT_MINUTES - 1) * sizeof recent->minutes[0]);
        recent->minutes[0] = recent->minute;
        recent->minutes_known += recent->minutes_known < RECENT_MINUTES;
        recent->minutes_in_doubt = 0;
    }
    recent->minute = (struct recent_minute){.good_of_moment = UINT64_MAX};
    recent->in_doubt = false;
}

uint64_t recent_requests(const uint64_t counts[static RECENT_COUNTS]) {
    uint64_t sum = 0;
    for (unsigned i = RECENT_2XX; i < RECENT_COUNTS; i++) {
        sum += counts[i];
    }
    return sum;
}

/* Returns how many requests were not refused for the client's certificate. */
uint64_t recent_good(const uint64_t counts[static RECENT_COUNTS]) {
    uint64_t refused = 0;
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        refused += counts[RECENT_REFUSED + reason];
    }
    uint64_t requests = recent_requests(counts);
    return counts[RECENT_VERDICTS + REASON_OK] + (requests > refused ? requests - refused : 0);
}

void recent_sample(struct recent *recent, const uint64_t counters[static RECENT_COUNTS], const struct bits *down,
                   uint64_t second) {
    if (!recent->begun) {
        recent->begun = true;
        recent->second = recent->first = second;
        recent->minute.good_of_moment = UINT64_MAX;
        memcpy(recent->before, counters, sizeof recent->before);
    }
    CHECK(second >= recent->second);
    move_on(recent, second);
    uint64_t came[RECENT_COUNTS];
    for (unsigned i = 0; i < RECENT_COUNTS; i++) {
        came[i] = counters[i] - recent->before[i];
        recent->slots[second / RECENT_SLOT_S % RECENT_SLOTS][i] += (uint32_t)came[i];
    }
    recent->minute.good += recent_good(came);
    /* After a pause of several minutes only one has ended: there were no samples in the others. */
    if ((second - recent->first) / 60 != (recent->second - recent->first) / 60) {
        end_minute(recent);
    }
    recent->valid_seen = recent->valid_seen || counters[RECENT_VERDICTS + REASON_OK] > 0;
    memmove(recent->down + 1, recent->down, (RECENT_DOWN_S - 1) * sizeof recent->down[0]);
    recent->down[0] = *down;
    memcpy(recent->before, counters, sizeof recent->before);
    recent->second = second;
}

struct recent_minute recent_usual(const struct recent *recent) {
    struct recent_minute least = {UINT64_MAX, UINT64_MAX};
    for (unsigned i = 1; i < recent->minutes_known; i++) {
        const struct recent_minute *minute = &recent->minutes[i];
        least.good = minute->good < least.good ? minute->good : least.good;
        least.good_of_moment = minute->good_of_moment < least.good_of_moment ? minute->good_of_moment : least.good_of_moment;
    }
    if (recent->minutes_known < RECENT_MINUTES_LEAST || least.good_of_moment == UINT64_MAX) {
        return (struct recent_minute){0};
    }
    return least;
}

struct bits recent_down(const struct recent *recent) {
    struct bits down = recent->down[0];
    for (unsigned i = 1; i < RECENT_DOWN_S; i++) {
        bits_keep(&down, &recent->down[i]);
    }
    return down;
}
