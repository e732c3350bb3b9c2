/* X.501 Names typed as parts. */
#ifndef TESTS_PATH_NAME_BUILDER_H
#define TESTS_PATH_NAME_BUILDER_H

#include "support.h"
#include "x509/der.h"

struct builder {
    uint8_t data[4096];
    size_t size;
};

static inline void put(struct builder *out, uint8_t tag, const void *content, size_t size) {
    cr_assert(size < 128 && out->size + size + 2 < sizeof out->data);
    out->data[out->size++] = tag;
    out->data[out->size++] = (uint8_t)size;
    memcpy(out->data + out->size, content, size);
    out->size += size;
}

static inline void put_attribute(struct builder *set, uint8_t arc, uint8_t tag, struct bytes value) {
    struct builder pair = {.size = 0};
    const uint8_t oid[] = {0x55, 0x04, arc};
    put(&pair, DER_OID, oid, sizeof oid);
    put(&pair, tag, value.data, value.size);
    put(set, DER_SEQUENCE, pair.data, pair.size);
}

struct part {
    uint8_t arc; /* 2.5.4.arc: 3 CN, 6 C, 10 O, 11 OU */
    uint8_t tag;
    const char *value;
    size_t size; /* 0: strlen */
    bool same_rdn;
};

/* A whole Name from parts up to the one with arc 0. */
static inline struct bytes name_of(struct builder *out, const struct part *parts) {
    struct builder rdns = {.size = 0};
    for (size_t i = 0; parts[i].arc != 0;) {
        struct builder set = {.size = 0};
        do {
            size_t size = parts[i].size > 0 ? parts[i].size : strlen(parts[i].value);
            put_attribute(&set, parts[i].arc, parts[i].tag, bytes_of(parts[i].value, size));
            i++;
        } while (parts[i].arc != 0 && parts[i].same_rdn);
        put(&rdns, DER_SET, set.data, set.size);
    }
    out->size = 0;
    put(out, DER_SEQUENCE, rdns.data, rdns.size);
    return bytes_of(out->data, out->size);
}

#define NAME(builder, ...) name_of(&(builder), (const struct part[]){__VA_ARGS__, {.arc = 0}})

#define UTF8(arc, value)                                                                                                    \
    { arc, DER_UTF8_STRING, value, 0, false }
#define PRINTABLE(arc, value)                                                                                               \
    { arc, DER_PRINTABLE_STRING, value, 0, false }

#endif
