/* Vectors as vectors.py writes them, and the groups in which lanes get them. */
#ifndef TESTS_CRYPTO_VECTORS_H
#define TESTS_CRYPTO_VECTORS_H

#include "base/check.h"
#include "crypto/lanes.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VECTORS_MAX = 2048, VECTORS_FIELDS_MAX = 6, VECTORS_LINE_MAX = 16 * 1024, VECTORS_ROUNDS = 12 };

enum vectors_result { VECTORS_VALID, VECTORS_ACCEPTABLE, VECTORS_INVALID };

struct vector {
    unsigned number; /* in its file */
    enum vectors_result result;
    struct bytes fields[VECTORS_FIELDS_MAX];
    bool good; /* by wolfCrypt */
};

struct vectors {
    struct vector all[VECTORS_MAX];
    size_t count;
};

static inline struct bytes vectors_read_hex(const char *text) {
    size_t size = strlen(text) / 2;
    uint8_t *data = malloc(size + 1);
    CHECK(data != NULL);
    for (size_t i = 0; i < size; i++) {
        unsigned octet;
        CHECK(sscanf(text + 2 * i, "%2x", &octet) == 1);
        data[i] = (uint8_t)octet;
    }
    return bytes_of(data, size);
}

/* Reads a file of the build folder, for vectors_free. */
static inline struct vectors *vectors_read(const char *name) {
    static const char *const results[] = {"valid", "acceptable", "invalid"};
    static char line[VECTORS_LINE_MAX];
    char path[512];
    struct vectors *vectors = calloc(1, sizeof *vectors);
    snprintf(path, sizeof path, "%s/%s.txt", VECTORS, name);
    FILE *file = fopen(path, "r");
    cr_assert(vectors != NULL && file != NULL, "%s", path);
    while (fgets(line, sizeof line, file) != NULL) {
        CHECK(vectors->count < VECTORS_MAX);
        struct vector *vector = &vectors->all[vectors->count++];
        char *rest = line;
        vector->number = (unsigned)atoi(strtok_r(line, " \n", &rest));
        const char *result = strtok_r(NULL, " \n", &rest);
        while (strcmp(result, results[vector->result]) != 0) {
            vector->result++;
        }
        char *field;
        for (size_t i = 0; (field = strtok_r(NULL, " \n", &rest)) != NULL; i++) {
            vector->fields[i] = vectors_read_hex(strcmp(field, "-") == 0 ? "" : field);
        }
    }
    fclose(file);
    return vectors;
}

static inline void vectors_free_fields(struct vector *vector) {
    for (size_t i = 0; i < VECTORS_FIELDS_MAX; i++) {
        free((void *)(uintptr_t)vector->fields[i].data);
    }
}

/* Frees what vectors_read has returned. */
static inline void vectors_free(struct vectors *vectors) {
    for (size_t i = 0; i < vectors->count; i++) {
        vectors_free_fields(&vectors->all[i]);
    }
    free(vectors);
}

/* Drops the vectors that lanes cannot be asked for. */
static inline void vectors_keep(struct vectors *vectors, bool (*is_for_lanes)(const struct vector *vector)) {
    size_t kept = 0;
    for (size_t i = 0; i < vectors->count; i++) {
        if (is_for_lanes(&vectors->all[i])) {
            vectors->all[kept++] = vectors->all[i];
        } else {
            vectors_free_fields(&vectors->all[i]);
        }
    }
    vectors->count = kept;
}

/* Asserts that wolfCrypt's answer is the expected one, and keeps it. */
static inline void vectors_note(struct vector *vector, bool good) {
    cr_assert(vector->result == VECTORS_ACCEPTABLE || good == (vector->result == VECTORS_VALID), "%u: wolfCrypt says %d",
              vector->number, good);
    vector->good = good;
}

/* Skips the rest of a test where there are no lanes. */
#define VECTORS_NEED_LANES()                                                                                                \
    do {                                                                                                                    \
        if (!lanes_supported()) {                                                                                           \
            cr_skip_test("this processor has no AVX-512 IFMA, or the kernel does not keep its registers");                  \
        }                                                                                                                   \
    } while (0)

/* Computes the vectors of a group, which it shall hold against `good`. */
typedef void vectors_run(struct vector *const group[], size_t count);

static inline uint32_t vectors_random(uint32_t bound) {
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % bound;
}

/* Runs each vector alone, and all of them again in random groups, so that good and bad ones share one. */
static inline void vectors_in_groups(struct vectors *vectors, vectors_run *run) {
    struct vector *order[VECTORS_MAX];
    for (size_t i = 0; i < vectors->count; i++) {
        order[i] = &vectors->all[i];
        run(&order[i], 1);
    }
    for (size_t round = 0; round < VECTORS_ROUNDS; round++) {
        for (size_t i = vectors->count - 1; i > 0; i--) {
            size_t other = vectors_random((uint32_t)i + 1);
            struct vector *kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        for (size_t i = 0; i < vectors->count;) {
            size_t left = vectors->count - i;
            /* Every other round in full groups. */
            size_t count = round % 2 == 0 ? LANES_MAX : 1 + vectors_random(LANES_MAX);
            count = count < left ? count : left;
            run(&order[i], count);
            i += count;
        }
    }
}

#endif
