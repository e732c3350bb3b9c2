#include "http/names.h"

#include "base/check.h"
#include "base/hash.h"
#include "http/syntax.h"

enum { HASHED_MAX = 256 };

struct special_name {
    const char *name;
    enum http_header_kind kind;
};

/* Indexed by length, two at most for each: a name costs one or two comparisons, most of which end at the first letter. */
static const struct special_name special_names[18][2] = {
    [2] = {{"te", HTTP_HEADER_HOP_BY_HOP}},
    [4] = {{"host", HTTP_HEADER_HOST}},
    [6] = {{"expect", HTTP_HEADER_EXPECT}},
    [7] = {{"upgrade", HTTP_HEADER_UPGRADE}, {"trailer", HTTP_HEADER_HOP_BY_HOP}},
    [10] = {{"connection", HTTP_HEADER_CONNECTION}, {"keep-alive", HTTP_HEADER_HOP_BY_HOP}},
    [12] = {{"x-request-id", HTTP_HEADER_REQUEST_ID}},
    [14] = {{"content-length", HTTP_HEADER_CONTENT_LENGTH}, {"http2-settings", HTTP_HEADER_HOP_BY_HOP}},
    [16] = {{"proxy-connection", HTTP_HEADER_HOP_BY_HOP}},
    [17] = {{"transfer-encoding", HTTP_HEADER_TRANSFER_ENCODING}},
};

/*
 * A header that http/forward.c adds to requests needs its row here, or clients could forge it: tests/http/test_forward.c
 * finds one that is missing.
 */
static const struct own_name {
    const char *name;
    bool may_be_set; /* by the configuration, which gives it a field */
} own_names[] = {
    {HTTP_NAME_STATUS, true},
    {HTTP_NAME_SKI, true},
    {"Client-Cert", true},
    {"Client-Cert-Chain", true},
    {"X-Forwarded-Client-Cert", true},
    {HTTP_NAME_FORWARDED_FOR, false},
    {HTTP_NAME_FORWARDED_PROTO, false},
    {HTTP_NAME_FORWARDED_HOST, false},
    {"Forwarded", false},
    {"Proxy", false},
};

/*
 * Names that pass, but that the configuration may not set: they say how a body is coded, or by which way a message has come,
 * or belong to a handshake of WebSocket.
 */
static const char *const taken_names[] = {
    HTTP_NAME_VIA,
    "Content-Encoding",
    "Content-Range",
    "Proxy-Authenticate",
    "Proxy-Authentication-Info",
    "Proxy-Authorization",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Accept",
};

static struct bytes behind(struct bytes name, size_t size) {
    return bytes_of(name.data + size, name.size - size);
}

/* Returns whether the first bytes of `name` are `folded` under the fold. */
static bool begins_with(struct bytes name, const char *folded, size_t size) {
    if (name.size < size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (http_name_fold(name.data[i]) != (uint8_t)folded[i]) {
            return false;
        }
    }
    return true;
}

struct bytes http_name_core(struct bytes name) {
    static const char prefix[] = "http-";
    enum { PREFIX_SIZE = sizeof prefix - 1 };
    while (name.size > PREFIX_SIZE && begins_with(name, prefix, PREFIX_SIZE)) {
        name = behind(name, PREFIX_SIZE);
    }
    return name;
}

/* Returns whether `b`, which is no shorter, begins with `a` under the fold. */
static bool same_under_fold(struct bytes a, struct bytes b) {
    for (size_t i = 0; i < a.size; i++) {
        if (http_name_fold(a.data[i]) != http_name_fold(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool http_names_alike(struct bytes a, struct bytes b) {
    a = http_name_core(a);
    b = http_name_core(b);
    return a.size == b.size && same_under_fold(a, b);
}

bool http_name_begins(struct bytes name, struct bytes prefix) {
    struct bytes core = http_name_core(name);
    return (name.size >= prefix.size && same_under_fold(prefix, name)) ||
           (core.size >= prefix.size && same_under_fold(prefix, core));
}

uint64_t http_name_hash(struct bytes name) {
    name = http_name_core(name);
    uint8_t folded[HASHED_MAX];
    size_t size = name.size < sizeof folded ? name.size : sizeof folded;
    for (size_t i = 0; i < size; i++) {
        folded[i] = http_name_fold(name.data[i]);
    }
    return hash_bytes(folded, size);
}

static bool is_separator(uint8_t c) {
    return http_name_fold(c) == '-';
}

/* Returns the core, without characters at its ends that are no letter or digit. */
static struct bytes bare_core(struct bytes name) {
    for (;;) {
        while (name.size > 0 && is_separator(name.data[0])) {
            name = behind(name, 1);
        }
        while (name.size > 0 && is_separator(name.data[name.size - 1])) {
            name.size--;
        }
        struct bytes core = http_name_core(name);
        if (core.size == name.size) {
            return name;
        }
        name = core;
    }
}

enum http_header_kind http_header_kind_of(struct bytes name) {
    struct bytes bare = bare_core(name);
    if (bare.size >= ARRAY_LENGTH(special_names)) {
        return HTTP_HEADER_END_TO_END;
    }
    for (size_t i = 0; i < 2 && special_names[bare.size][i].name != NULL; i++) {
        const struct special_name *special = &special_names[bare.size][i];
        if (begins_with(bare, special->name, bare.size)) {
            return http_text_is(name, special->name) ? special->kind : HTTP_HEADER_LOOKALIKE;
        }
    }
    return HTTP_HEADER_END_TO_END;
}

size_t http_own_name_count(void) {
    return ARRAY_LENGTH(own_names);
}

const char *http_own_name(size_t index) {
    CHECK(index < ARRAY_LENGTH(own_names));
    return own_names[index].name;
}

bool http_name_may_be_stripped(struct bytes name) {
    return http_is_token(name) && http_header_kind_of(name) == HTTP_HEADER_END_TO_END;
}

static bool is_taken(struct bytes name) {
    for (size_t i = 0; i < ARRAY_LENGTH(taken_names); i++) {
        if (http_names_alike(name, bytes_of_string(taken_names[i]))) {
            return true;
        }
    }
    return false;
}

bool http_name_may_be_set(struct bytes name) {
    if (!http_name_may_be_stripped(name)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(own_names); i++) {
        if (!own_names[i].may_be_set && http_names_alike(name, bytes_of_string(own_names[i].name))) {
            return false;
        }
    }
    return !is_taken(name);
}

bool http_name_may_be_set_in_answers(struct bytes name) {
    return http_name_may_be_stripped(name) && !is_taken(name) && !http_names_alike(name, bytes_of_string("Date"));
}

bool http_name_may_be_removed_from_answers(struct bytes name, bool is_prefix) {
    if (!http_name_may_be_stripped(name)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(taken_names); i++) {
        struct bytes taken = bytes_of_string(taken_names[i]);
        if (!http_names_alike(taken, bytes_of_string(HTTP_NAME_VIA)) &&
            (is_prefix ? http_name_begins(taken, name) : http_names_alike(taken, name))) {
            return false;
        }
    }
    return is_prefix || !http_names_alike(name, bytes_of_string("Date"));
}
