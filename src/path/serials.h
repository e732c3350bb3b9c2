/*
 * A set of revoked serial numbers: the exact octets of each in one arena, and a table of 32-bit references to them, so that
 * a million take some 35 MB. Filled once, then immutable. The table's hash is keyed (base/hash.h), and the octets are always
 * compared too.
 */
#ifndef PATH_SERIALS_H
#define PATH_SERIALS_H

#include "base/bytes.h"

struct serials;

struct serials_entry {
    struct bytes serial; /* content octets of the INTEGER, 1 to 21 */
    int64_t date;        /* of the revocation, seconds since the epoch, years 0 to 9999 */
    uint8_t reason;
};

/*
 * Makes a set for at most `count` entries whose serials have at most `octets` octets together. NULL when out of memory or
 * when the arena would outgrow its references (4 GiB).
 */
struct serials *serials_create(size_t count, size_t octets);
void serials_free(struct serials *serials);

/* Adds an entry, within the bounds that serials_create was given. Of equal serials the first is kept. */
void serials_add(struct serials *serials, const struct serials_entry *entry);

/* Tells whether `serial` is in the set; then *entry says since when and why. Its serial is a view of the set. */
bool serials_find(const struct serials *serials, struct bytes serial, struct serials_entry *entry);

/* Returns the number of distinct serials. */
size_t serials_count(const struct serials *serials);

#endif
