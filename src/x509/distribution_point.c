#include "x509/distribution_point.h"

#include "base/check.h"
#include "x509/der.h"
#include "x509/general_name.h"
#include "x509/name.h"
#include "x509/oid.h"

enum { JOINED_SIZE_MAX = 4096, HEADER_MAX = 6 };

/* Writes tag and length, and returns the size of both. */
static size_t write_header(uint8_t tag, size_t length, uint8_t out[static HEADER_MAX]) {
    size_t octets = 0;
    while (length >> (8 * octets) != 0 && octets < 4) {
        octets++;
    }
    out[0] = tag;
    if (length < 0x80) {
        out[1] = (uint8_t)length;
        return 2;
    }
    out[1] = (uint8_t)(0x80 | octets);
    for (size_t i = 0; i < octets; i++) {
        out[2 + i] = (uint8_t)(length >> (8 * (octets - 1 - i)));
    }
    return 2 + octets;
}

size_t distribution_point_join(struct bytes issuer, struct bytes rdn, uint8_t *out, size_t capacity) {
    struct bytes rdns;
    CHECK(der_only(issuer, DER_SEQUENCE, &rdns));
    if (rdns.size > capacity || rdn.size > capacity) {
        return 0;
    }
    uint8_t inner[HEADER_MAX];
    size_t inner_size = write_header(DER_SET, rdn.size, inner);
    uint8_t outer[HEADER_MAX];
    size_t outer_size = write_header(DER_SEQUENCE, rdns.size + inner_size + rdn.size, outer);
    size_t size = outer_size + rdns.size + inner_size + rdn.size;
    if (size > capacity) {
        return 0;
    }
    memcpy(out, outer, outer_size);
    memcpy(out + outer_size, rdns.data, rdns.size);
    memcpy(out + outer_size + rdns.size, inner, inner_size);
    memcpy(out + outer_size + rdns.size + inner_size, rdn.data, rdn.size);
    return name_is_valid(bytes_of(out, size)) ? size : 0;
}

static bool names_match(uint8_t tag, struct bytes a, struct bytes b) {
    return tag == GENERAL_NAME_DIRECTORY ? name_equal(a, b) : bytes_equal(a, b);
}

/* Tells whether the scope has that GeneralName. */
static bool scope_has(const struct distribution_scope *scope, uint8_t tag, struct bytes name) {
    if (scope->name.size > 0) {
        return tag == GENERAL_NAME_DIRECTORY && name_equal(scope->name, name);
    }
    struct bytes rest = scope->names;
    uint8_t other_tag;
    struct bytes other;
    while (general_name_next(&rest, &other_tag, &other)) {
        if (other_tag == tag && names_match(tag, other, name)) {
            return true;
        }
    }
    return false;
}

/* Tells whether the scope has a DistributionPointName, which comes without its own EXPLICIT tag. */
static bool scope_has_point(const struct distribution_scope *scope, const struct certificate *certificate, struct bytes in) {
    struct der point;
    if (!der_next(&in, &point) || in.size > 0) {
        return false;
    }
    if (point.tag == (DER_CONTEXT_CONSTRUCTED | 1)) {
        uint8_t joined[JOINED_SIZE_MAX];
        size_t size = distribution_point_join(certificate->issuer, point.content, joined, sizeof joined);
        return size > 0 && scope_has(scope, GENERAL_NAME_DIRECTORY, bytes_of(joined, size));
    }
    while (point.tag == (DER_CONTEXT_CONSTRUCTED | 0) && point.content.size > 0) {
        uint8_t tag;
        struct bytes name;
        if (!general_name_read(&point.content, GENERAL_NAME_IP_SIZE, &tag, &name)) {
            return false;
        }
        if (scope_has(scope, tag, name)) {
            return true;
        }
    }
    return false;
}

static bool read_point(struct bytes *in, struct bytes *name, bool *is_whole) {
    struct bytes content;
    struct bytes ignored;
    bool has_name;
    bool has_reasons;
    bool has_issuer;
    if (!der_read(in, DER_SEQUENCE, &content) ||
        !der_read_optional(&content, DER_CONTEXT_CONSTRUCTED | 0, name, &has_name) ||
        !der_read_optional(&content, DER_CONTEXT | 1, &ignored, &has_reasons) ||
        !der_read_optional(&content, DER_CONTEXT_CONSTRUCTED | 2, &ignored, &has_issuer) || content.size > 0) {
        return false;
    }
    *is_whole = has_name && !has_reasons && !has_issuer;
    return true;
}

bool distribution_scope_covers(const struct distribution_scope *scope, const struct certificate *certificate) {
    if (certificate->is_ca ? scope->only_user_certificates : scope->only_ca_certificates) {
        return false;
    }
    /* By the last paragraph of section 6.3.3 the issuer's name is a point of every certificate. */
    if ((scope->names.size == 0 && scope->name.size == 0) || scope_has(scope, GENERAL_NAME_DIRECTORY, certificate->issuer)) {
        return true;
    }
    struct extension extension;
    struct bytes points;
    if (!certificate_find_extension(certificate, OID_CRL_DISTRIBUTION_POINTS, &extension) ||
        !der_only(extension.value, DER_SEQUENCE, &points)) {
        return false;
    }
    while (points.size > 0) {
        struct bytes name;
        bool is_whole;
        if (!read_point(&points, &name, &is_whole)) {
            return false;
        }
        if (is_whole && scope_has_point(scope, certificate, name)) {
            return true;
        }
    }
    return false;
}
