#include "stats/rollout.h"

#include "base/check.h"

const unsigned rollout_span_days[ROLLOUT_SPANS - 1] = {1, 7, 30, 90, 365};

/* Empties the minutes and hours that have begun since the last sample: they still hold the counts of an hour or a day ago.
 */
static void move_on(struct rollout *rollout, uint64_t minute) {
    uint64_t minutes = minute - rollout->minute;
    uint64_t hours = minute / 60 - rollout->minute / 60;
    for (uint64_t i = 1; i <= minutes && i <= ROLLOUT_MINUTES; i++) {
        memset(rollout->minutes[(rollout->minute + i) % ROLLOUT_MINUTES], 0, sizeof rollout->minutes[0]);
    }
    for (uint64_t i = 1; i <= hours && i <= ROLLOUT_HOURS; i++) {
        memset(rollout->hours[(rollout->minute / 60 + i) % ROLLOUT_HOURS], 0, sizeof rollout->hours[0]);
    }
    rollout->minute = minute;
}

void rollout_sample(struct rollout *rollout, const uint64_t counters[static REASON_COUNT], uint64_t minute) {
    if (!rollout->begun) {
        rollout->begun = true;
        rollout->minute = minute;
        memcpy(rollout->before, counters, sizeof rollout->before);
    }
    CHECK(minute >= rollout->minute);
    move_on(rollout, minute);
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        uint32_t came = (uint32_t)(counters[reason] - rollout->before[reason]);
        rollout->minutes[minute % ROLLOUT_MINUTES][reason] += came;
        rollout->hours[minute / 60 % ROLLOUT_HOURS][reason] += came;
    }
    memcpy(rollout->before, counters, sizeof rollout->before);
}

uint64_t rollout_last_hour(const struct rollout *rollout, enum reason reason) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < ROLLOUT_MINUTES; i++) {
        sum += rollout->minutes[i][reason];
    }
    return sum;
}

uint64_t rollout_last_day(const struct rollout *rollout, enum reason reason) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < ROLLOUT_HOURS; i++) {
        sum += rollout->hours[i][reason];
    }
    return sum;
}

void rollout_note_client(struct rollout_clients *clients, struct bytes issuer, struct bytes ski) {
    pthread_mutex_lock(&clients->lock);
    sketch_add(&clients->issuers, issuer);
    sketch_add(&clients->skis, ski);
    pthread_mutex_unlock(&clients->lock);
}

void rollout_gather_clients(struct rollout_clients *clients, struct sketch *issuers, struct sketch *skis) {
    pthread_mutex_lock(&clients->lock);
    struct sketch copies[] = {clients->issuers, clients->skis};
    pthread_mutex_unlock(&clients->lock);
    sketch_merge(issuers, &copies[0]);
    sketch_merge(skis, &copies[1]);
}

unsigned rollout_span_of(int64_t seconds_left) {
    for (unsigned i = 0; i < ARRAY_LENGTH(rollout_span_days); i++) {
        if (seconds_left < (int64_t)rollout_span_days[i] * 24 * 3600) {
            return i;
        }
    }
    return ARRAY_LENGTH(rollout_span_days);
}
