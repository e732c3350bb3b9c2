#include "x509/oid.h"

#include <inttypes.h>

void oid_append(struct text *out, struct bytes oid) {
    uint64_t arc = 0;
    bool first = true;
    for (size_t i = 0; i < oid.size; i++) {
        arc = arc << 7 | (oid.data[i] & 0x7f);
        if ((oid.data[i] & 0x80) != 0) {
            continue;
        }
        if (first) {
            /* X.690 section 8.19.4: the first two arcs share one number. */
            unsigned root = arc < 40 ? 0 : arc < 80 ? 1 : 2;
            text_append_format(out, "%u.%" PRIu64, root, arc - root * UINT64_C(40));
            first = false;
        } else {
            text_append_format(out, ".%" PRIu64, arc);
        }
        arc = 0;
    }
}

/* Reads a decimal number without leading zeros, below 2^56, and advances *at behind it. */
static bool parse_arc(const char **at, uint64_t *arc) {
    const char *c = *at;
    if (*c < '0' || *c > '9' || (*c == '0' && c[1] >= '0' && c[1] <= '9')) {
        return false;
    }
    for (*arc = 0; *c >= '0' && *c <= '9'; c++) {
        *arc = *arc * 10 + (uint64_t)(*c - '0');
        if (*arc >= UINT64_C(1) << 56) {
            return false;
        }
    }
    *at = c;
    return true;
}

static bool append_arc(uint64_t arc, uint8_t *out, size_t capacity, size_t *size) {
    unsigned groups = 1;
    while (groups < 9 && arc >> (7 * groups) != 0) {
        groups++;
    }
    if (capacity - *size < groups) {
        return false;
    }
    while (groups-- > 0) {
        out[(*size)++] = (uint8_t)((arc >> (7 * groups) & 0x7f) | (groups > 0 ? 0x80 : 0));
    }
    return true;
}

bool oid_parse(const char *dotted, uint8_t *out, size_t capacity, size_t *size) {
    uint64_t root;
    uint64_t arc;
    *size = 0;
    if (!parse_arc(&dotted, &root) || root > 2 || *dotted++ != '.' || !parse_arc(&dotted, &arc) || (root < 2 && arc > 39) ||
        !append_arc(root * 40 + arc, out, capacity, size)) {
        return false;
    }
    while (*dotted == '.') {
        dotted++;
        if (!parse_arc(&dotted, &arc) || !append_arc(arc, out, capacity, size)) {
            return false;
        }
    }
    return *dotted == '\0';
}
