/* Builds ClientHellos for the tests of guard/, piece by piece, so that a test can say what it breaks. */
#ifndef TESTS_GUARD_BUILDER_H
#define TESTS_GUARD_BUILDER_H

#include "base/bytes.h"
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUILDER_SIZE = 96 * 1024, BUILDER_EXTENSIONS_MAX = 64 };

struct builder {
    uint8_t data[BUILDER_SIZE];
    size_t size;
};

/* All contents are hex, blanks allowed; lists without the lengths that the structure puts in front of them. */
struct hello_spec {
    unsigned legacy_version;
    const char *session_id;
    const char *suites;
    const char *compression;
    struct {
        unsigned type;
        const char *content;
    } extensions[BUILDER_EXTENSIONS_MAX];
    size_t extension_count;
    bool without_extensions; /* not even an empty list */
};

#define HEX_32 "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
#define HEX_64 HEX_32 HEX_32

#define SNI_EXAMPLE      "0010 00 000d 6578616d706c652e6c6f63616c" /* example.local */
#define KEY_SHARE_X25519 "0024 001d 0020" HEX_32
#define ONE_PSK          "0026 0020" HEX_32 "00000001 0021 20" HEX_32

static inline void builder_u8(struct builder *builder, unsigned value) {
    CHECK(builder->size < BUILDER_SIZE);
    builder->data[builder->size++] = (uint8_t)value;
}

static inline void builder_u16(struct builder *builder, unsigned value) {
    builder_u8(builder, value >> 8);
    builder_u8(builder, value & 0xff);
}

static inline void builder_bytes(struct builder *builder, struct bytes bytes) {
    CHECK(bytes.size <= BUILDER_SIZE - builder->size);
    memcpy(builder->data + builder->size, bytes.data, bytes.size);
    builder->size += bytes.size;
}

static inline void builder_hex(struct builder *builder, const char *hex) {
    while (*hex != '\0') {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        char digits[3] = {hex[0], hex[1], '\0'};
        char *end;
        unsigned long value = strtoul(digits, &end, 16);
        CHECK(end == digits + 2);
        builder_u8(builder, (unsigned)value);
        hex += 2;
    }
}

/* Puts the number of bytes since `start` in the `width` bytes in front of it. */
static inline void builder_close(struct builder *builder, size_t start, size_t width) {
    size_t size = builder->size - start;
    for (size_t i = 1; i <= width; i++) {
        builder->data[start - i] = (uint8_t)size;
        size >>= 8;
    }
    CHECK(size == 0);
}

static inline size_t builder_open(struct builder *builder, size_t width) {
    for (size_t i = 0; i < width; i++) {
        builder_u8(builder, 0);
    }
    return builder->size;
}

static inline void builder_vector(struct builder *builder, size_t width, const char *hex) {
    size_t start = builder_open(builder, width);
    builder_hex(builder, hex);
    builder_close(builder, start, width);
}

/* Replaces the extension where it stands, or appends it. */
static inline void spec_set(struct hello_spec *spec, unsigned type, const char *content) {
    size_t i = 0;
    while (i < spec->extension_count && spec->extensions[i].type != type) {
        i++;
    }
    CHECK(i < BUILDER_EXTENSIONS_MAX);
    spec->extensions[i].type = type;
    spec->extensions[i].content = content;
    spec->extension_count += i == spec->extension_count;
}

static inline void spec_append(struct hello_spec *spec, unsigned type, const char *content) {
    CHECK(spec->extension_count < BUILDER_EXTENSIONS_MAX);
    spec->extensions[spec->extension_count].type = type;
    spec->extensions[spec->extension_count++].content = content;
}

static inline void spec_drop(struct hello_spec *spec, unsigned type) {
    size_t kept = 0;
    for (size_t i = 0; i < spec->extension_count; i++) {
        if (spec->extensions[i].type != type) {
            spec->extensions[kept++] = spec->extensions[i];
        }
    }
    CHECK(kept < spec->extension_count);
    spec->extension_count = kept;
}

/* A small hello of each version that must pass. */
static inline struct hello_spec spec_tls13(void) {
    struct hello_spec spec = {.legacy_version = 0x0303, .session_id = HEX_32, .suites = "1301", .compression = "00"};
    spec_set(&spec, 0, SNI_EXAMPLE);
    spec_set(&spec, 10, "0004 001d 0017");
    spec_set(&spec, 13, "0004 0403 0804");
    spec_set(&spec, 43, "02 0304");
    spec_set(&spec, 51, KEY_SHARE_X25519);
    return spec;
}

static inline struct hello_spec spec_tls12(void) {
    struct hello_spec spec = {.legacy_version = 0x0303, .session_id = "", .suites = "c02b c02f 00ff", .compression = "00"};
    spec_set(&spec, 0, SNI_EXAMPLE);
    spec_set(&spec, 10, "0004 001d 0017");
    spec_set(&spec, 11, "01 00");
    spec_set(&spec, 13, "0004 0403 0401");
    return spec;
}

/* Builds the part of a hello that follows the handshake header. */
static inline void build_body(struct builder *builder, const struct hello_spec *spec) {
    builder->size = 0;
    builder_u16(builder, spec->legacy_version);
    builder_hex(builder, HEX_32);
    builder_vector(builder, 1, spec->session_id);
    builder_vector(builder, 2, spec->suites);
    builder_vector(builder, 1, spec->compression);
    if (!spec->without_extensions) {
        size_t start = builder_open(builder, 2);
        for (size_t i = 0; i < spec->extension_count; i++) {
            builder_u16(builder, spec->extensions[i].type);
            builder_vector(builder, 2, spec->extensions[i].content);
        }
        builder_close(builder, start, 2);
    }
}

/* The body as a handshake message in records of at most `record_size` bytes of it. */
static inline void build_records(struct builder *out, struct bytes body, size_t record_size) {
    static struct builder message;

    message.size = 0;
    builder_u8(&message, 1);
    size_t start = builder_open(&message, 3);
    builder_bytes(&message, body);
    builder_close(&message, start, 3);
    out->size = 0;
    for (size_t at = 0; at < message.size; at += record_size) {
        size_t size = message.size - at < record_size ? message.size - at : record_size;
        builder_u8(out, 22);
        builder_u16(out, at == 0 ? 0x0301 : 0x0303);
        builder_u16(out, (unsigned)size);
        builder_bytes(out, bytes_of(message.data + at, size));
    }
}

static inline struct bytes builder_view(const struct builder *builder) {
    return bytes_of(builder->data, builder->size);
}

/* A whole hello in one record. Valid until the next call. */
static inline struct bytes build_hello(const struct hello_spec *spec) {
    static struct builder body;
    static struct builder out;

    build_body(&body, spec);
    build_records(&out, builder_view(&body), 16384);
    return builder_view(&out);
}

#endif
