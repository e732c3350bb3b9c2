#include "path/serials.h"

#include "base/check.h"
#include "base/hash.h"

#include <stdlib.h>

enum {
    /* The head before the octets of each serial: their number, the reason, and the date in 40 bits, biased. */
    RECORD_HEAD = 7,
    SERIAL_OCTETS_MAX = 21,
};
/* Year 0 begins 62,167,219,200 s before the epoch; with this much added every date of RFC 5280 is positive and below 2^40.
 */
static const int64_t date_bias = INT64_C(1) << 36;

struct serials {
    uint8_t *arena;
    uint32_t *table; /* where a record begins in the arena, plus one; 0: empty */
    size_t size;     /* of the arena, used */
    size_t capacity;
    size_t slots; /* twice the entries, so that a search ends after a step or two */
    size_t count;
};

struct serials *serials_create(size_t count, size_t octets) {
    if (count > UINT32_MAX / 2 || octets > UINT32_MAX / 2 || count * RECORD_HEAD + octets >= UINT32_MAX) {
        return NULL;
    }
    struct serials *serials = calloc(1, sizeof(struct serials));
    if (serials == NULL) {
        return NULL;
    }
    serials->capacity = count * RECORD_HEAD + octets;
    serials->slots = 2 * count + 1;
    serials->arena = malloc(serials->capacity > 0 ? serials->capacity : 1);
    serials->table = calloc(serials->slots, sizeof(uint32_t));
    if (serials->arena == NULL || serials->table == NULL) {
        serials_free(serials);
        return NULL;
    }
    return serials;
}

void serials_free(struct serials *serials) {
    if (serials == NULL) {
        return;
    }
    free(serials->arena);
    free(serials->table);
    free(serials);
}

static struct serials_entry read_record(const uint8_t *record) {
    uint64_t date = 0;
    for (size_t i = 2; i < RECORD_HEAD; i++) {
        date = date << 8 | record[i];
    }
    return (struct serials_entry){bytes_of(record + RECORD_HEAD, record[0]), (int64_t)date - date_bias, record[1]};
}

/* Returns the slot that holds `serial`, or the empty slot that it would take. */
static size_t find_slot(const struct serials *serials, struct bytes serial) {
    uint64_t hash = hash_bytes(serial.data, serial.size) >> 32;
    size_t slot = (size_t)(hash * serials->slots >> 32);
    while (serials->table[slot] != 0) {
        const uint8_t *record = serials->arena + serials->table[slot] - 1;
        if (record[0] == serial.size && memcmp(record + RECORD_HEAD, serial.data, serial.size) == 0) {
            break;
        }
        slot = slot + 1 == serials->slots ? 0 : slot + 1;
    }
    return slot;
}

void serials_add(struct serials *serials, const struct serials_entry *entry) {
    CHECK(entry->serial.size >= 1 && entry->serial.size <= SERIAL_OCTETS_MAX);
    size_t slot = find_slot(serials, entry->serial);
    if (serials->table[slot] != 0) {
        return;
    }
    CHECK(serials->count < serials->slots / 2 && serials->capacity - serials->size >= RECORD_HEAD + entry->serial.size);
    uint8_t *record = serials->arena + serials->size;
    uint64_t date = (uint64_t)(entry->date + date_bias);
    CHECK(date >> 40 == 0);
    record[0] = (uint8_t)entry->serial.size;
    record[1] = entry->reason;
    for (size_t i = RECORD_HEAD; i-- > 2; date >>= 8) {
        record[i] = (uint8_t)date;
    }
    memcpy(record + RECORD_HEAD, entry->serial.data, entry->serial.size);
    serials->table[slot] = (uint32_t)serials->size + 1;
    serials->size += RECORD_HEAD + entry->serial.size;
    serials->count++;
}

bool serials_find(const struct serials *serials, struct bytes serial, struct serials_entry *entry) {
    size_t slot = find_slot(serials, serial);
    if (serials->table[slot] == 0) {
        return false;
    }
    *entry = read_record(serials->arena + serials->table[slot] - 1);
    return true;
}

size_t serials_count(const struct serials *serials) {
    return serials->count;
}
