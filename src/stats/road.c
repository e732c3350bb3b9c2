#include "stats/road.h"

#include "base/check.h"

const unsigned road_span_days[ROAD_SPANS - 1] = {1, 7, 30, 90, 365};

/* Empties what is too old: all that was begun after the last sample, up to now. */
static void move_on(struct road *road, uint64_t minute) {
    uint64_t minutes = minute - road->minute;
    uint64_t hours = minute / 60 - road->minute / 60;
    for (uint64_t i = 1; i <= minutes && i <= ROAD_MINUTES; i++) {
        memset(road->minutes[(road->minute + i) % ROAD_MINUTES], 0, sizeof road->minutes[0]);
    }
    for (uint64_t i = 1; i <= hours && i <= ROAD_HOURS; i++) {
        memset(road->hours[(road->minute / 60 + i) % ROAD_HOURS], 0, sizeof road->hours[0]);
    }
    road->minute = minute;
}

void road_sample(struct road *road, const uint64_t counters[static REASON_COUNT], uint64_t minute) {
    if (!road->begun) {
        road->begun = true;
        road->minute = minute;
        memcpy(road->before, counters, sizeof road->before);
    }
    CHECK(minute >= road->minute);
    move_on(road, minute);
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        uint32_t came = (uint32_t)(counters[reason] - road->before[reason]);
        road->minutes[minute % ROAD_MINUTES][reason] += came;
        road->hours[minute / 60 % ROAD_HOURS][reason] += came;
    }
    memcpy(road->before, counters, sizeof road->before);
}

uint64_t road_last_hour(const struct road *road, enum reason reason) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < ROAD_MINUTES; i++) {
        sum += road->minutes[i][reason];
    }
    return sum;
}

uint64_t road_last_day(const struct road *road, enum reason reason) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < ROAD_HOURS; i++) {
        sum += road->hours[i][reason];
    }
    return sum;
}

void road_note(struct road_names *names, struct bytes issuer, struct bytes ski) {
    pthread_mutex_lock(&names->lock);
    sketch_add(&names->issuers, issuer);
    sketch_add(&names->skis, ski);
    pthread_mutex_unlock(&names->lock);
}

void road_gather(struct road_names *names, struct sketch *issuers, struct sketch *skis) {
    pthread_mutex_lock(&names->lock);
    struct sketch copies[] = {names->issuers, names->skis};
    pthread_mutex_unlock(&names->lock);
    sketch_merge(issuers, &copies[0]);
    sketch_merge(skis, &copies[1]);
}

unsigned road_span_of(int64_t seconds_left) {
    for (unsigned i = 0; i < ARRAY_LENGTH(road_span_days); i++) {
        if (seconds_left < (int64_t)road_span_days[i] * 24 * 3600) {
            return i;
        }
    }
    return ARRAY_LENGTH(road_span_days);
}
