#include "base/check.h"
#include "base/hash.h"
#include "http/forward.h"
#include "http/syntax.h"

#include <errno.h>
#include <stdlib.h>

enum { CAPACITY_START = 64 };

struct removal {
    char *name; /* folded; NULL: the slot is free */
    size_t size;
};

/* Open addressing with linear probing, at most half full. */
struct http_removals {
    struct removal *slots;
    size_t capacity; /* a power of two */
    size_t count;
    /* Bit N of entry C: a name of N bytes (63: of 63 or more) begins with C, both folded. Tells most headers at a glance. */
    uint64_t sizes_by_first[256];
};

static const char *const forwarding_names[] = {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"};

static uint64_t size_bit(size_t size) {
    return UINT64_C(1) << (size < 63 ? size : 63);
}

/* The slot that holds `name`, or the free one where it belongs. */
static struct removal *find_slot(struct removal *slots, size_t capacity, struct bytes name) {
    size_t i = hash_header_name(name.data, name.size) & (capacity - 1);
    while (slots[i].name != NULL && !http_name_is(name, slots[i].name, slots[i].size)) {
        i = (i + 1) & (capacity - 1);
    }
    return &slots[i];
}

static int grow(struct http_removals *removals) {
    size_t capacity = removals->capacity == 0 ? CAPACITY_START : removals->capacity * 2;
    struct removal *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < removals->capacity; i++) {
        if (removals->slots[i].name != NULL) {
            *find_slot(slots, capacity, bytes_of(removals->slots[i].name, removals->slots[i].size)) = removals->slots[i];
        }
    }
    free(removals->slots);
    removals->slots = slots;
    removals->capacity = capacity;
    return 0;
}

static int add_name(struct http_removals *removals, struct bytes name) {
    if (removals->count * 2 >= removals->capacity && grow(removals) != 0) {
        return -ENOMEM;
    }
    struct removal *slot = find_slot(removals->slots, removals->capacity, name);
    if (slot->name != NULL) {
        return 0;
    }
    char *folded = malloc(name.size);
    if (folded == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < name.size; i++) {
        folded[i] = (char)http_fold(name.data[i]);
    }
    *slot = (struct removal){folded, name.size};
    removals->count++;
    removals->sizes_by_first[(uint8_t)folded[0]] |= size_bit(name.size);
    return 0;
}

struct http_removals *http_removals_create(void) {
    struct http_removals *removals = calloc(1, sizeof *removals);
    if (removals == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(forwarding_names); i++) {
        if (add_name(removals, bytes_of_string(forwarding_names[i])) != 0) {
            http_removals_free(removals);
            return NULL;
        }
    }
    return removals;
}

int http_removals_add(struct http_removals *removals, const char *name) {
    static const char suffix[] = "-Too-Large";
    size_t size = strlen(name);
    CHECK(size > 0);
    char *with_suffix = malloc(size + sizeof suffix);
    if (with_suffix == NULL) {
        return -ENOMEM;
    }
    memcpy(with_suffix, name, size);
    memcpy(with_suffix + size, suffix, sizeof suffix);
    int error = add_name(removals, bytes_of(name, size));
    if (error == 0) {
        error = add_name(removals, bytes_of_string(with_suffix));
    }
    free(with_suffix);
    return error;
}

bool http_removals_has(const struct http_removals *removals, struct bytes name) {
    if (name.size == 0 || (removals->sizes_by_first[http_fold(name.data[0])] & size_bit(name.size)) == 0) {
        return false;
    }
    return find_slot(removals->slots, removals->capacity, name)->name != NULL;
}

void http_removals_free(struct http_removals *removals) {
    if (removals == NULL) {
        return;
    }
    for (size_t i = 0; i < removals->capacity; i++) {
        free(removals->slots[i].name);
    }
    free(removals->slots);
    free(removals);
}

bool http_name_may_be_set(const char *name) {
    static const char *const taken[] = {
        "x-forwarded-for",  "x-forwarded-proto", "x-forwarded-host",   "via",
        "content-encoding", "content-range",     "proxy-authenticate", "proxy-authorization",
    };
    struct bytes text = bytes_of_string(name);
    if (!http_is_token(text) || http_header_kind_of(text) != HTTP_HEADER_END_TO_END) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(taken); i++) {
        if (http_name_is(text, taken[i], strlen(taken[i]))) {
            return false;
        }
    }
    return true;
}
