#include "path/constraints.h"

#include "x509/der.h"
#include "x509/general_name.h"
#include "x509/name.h"
#include "x509/oid.h"

enum match { MATCH_NO, MATCH_YES, MATCH_UNREADABLE };

static struct bytes skip(struct bytes bytes, size_t count) {
    return bytes_of(bytes.data + count, bytes.size - count);
}

/* Returns the place of the last `c`, or `size` when there is none. */
static size_t find_last(struct bytes bytes, char c) {
    for (size_t i = bytes.size; i-- > 0;) {
        if (bytes.data[i] == (uint8_t)c) {
            return i;
        }
    }
    return bytes.size;
}

static bool ends_with(struct bytes name, struct bytes suffix) {
    return name.size >= suffix.size && bytes_equal_ignoring_case(skip(name, name.size - suffix.size), suffix);
}

static struct bytes without_final_dot(struct bytes name) {
    return name.size > 0 && name.data[name.size - 1] == '.' ? bytes_of(name.data, name.size - 1) : name;
}

/* Tells whether `name` is `domain` or below it; with a leading dot the domain itself is not meant. */
static bool is_in_domain(struct bytes name, struct bytes domain) {
    if (!ends_with(name, domain)) {
        return false;
    }
    return domain.size == 0 || domain.data[0] == '.'
               ? name.size > domain.size || domain.size == 0
               : name.size == domain.size || name.data[name.size - domain.size - 1] == '.';
}

/* Matches a host with the host form of rfc822Name and URI constraints: ".domain" is all hosts below, else the host alone. */
static bool host_matches(struct bytes host, struct bytes base) {
    if (base.size == 0) {
        return true;
    }
    return base.data[0] == '.' ? is_in_domain(host, base) : bytes_equal_ignoring_case(host, base);
}

static enum match match_dns(struct bytes name, struct bytes base, bool excluding) {
    name = without_final_dot(name);
    base = without_final_dot(base);
    if (is_in_domain(name, base)) {
        return MATCH_YES;
    }
    /* A wildcard stands also for the names in an excluded subtree below its parent. */
    if (excluding && name.size > 2 && name.data[0] == '*' && name.data[1] == '.' && is_in_domain(base, skip(name, 2))) {
        return MATCH_YES;
    }
    return MATCH_NO;
}

static enum match match_email(struct bytes name, struct bytes base) {
    size_t at = find_last(name, '@');
    if (at == 0 || at + 1 >= name.size) {
        return MATCH_UNREADABLE;
    }
    struct bytes host = skip(name, at + 1);
    size_t base_at = find_last(base, '@');
    if (base_at == base.size) {
        return host_matches(host, base) ? MATCH_YES : MATCH_NO;
    }
    bool same = bytes_equal(bytes_of(name.data, at), bytes_of(base.data, base_at)) &&
                bytes_equal_ignoring_case(host, skip(base, base_at + 1));
    return same ? MATCH_YES : MATCH_NO;
}

/* Tells whether it is letters, digits, '-', '_' and '.', and no IPv4 address, whose last label would be a number. */
static bool is_host_name(struct bytes host) {
    bool number = true;
    for (size_t i = 0; i < host.size; i++) {
        uint8_t c = host.data[i];
        bool digit = c >= '0' && c <= '9';
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!digit && !letter && c != '-' && c != '_' && c != '.') {
            return false;
        }
        number = c == '.' || (number && digit);
    }
    return host.size > 0 && !number;
}

static bool is_number(struct bytes text) {
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return true;
}

/*
 * Finds the host name of a URI's authority. False when there is none or an address in its place, or when readers differ on
 * it: browsers end the authority at a backslash, and some readers take the port for a part of the name.
 */
static bool uri_host(struct bytes uri, struct bytes *host) {
    size_t start = 0;
    while (start < uri.size && uri.data[start] != ':') {
        start++;
    }
    if (start == 0 || uri.size - start < 3 || memcmp(uri.data + start, "://", 3) != 0) {
        return false;
    }
    struct bytes authority = skip(uri, start + 3);
    size_t size = 0;
    while (size < authority.size && memchr("/?#", authority.data[size], 3) == NULL) {
        size++;
    }
    authority.size = size;
    if (memchr(authority.data, '\\', authority.size) != NULL) {
        return false;
    }
    size_t at = find_last(authority, '@');
    authority = at < authority.size ? skip(authority, at + 1) : authority;
    size_t colon = find_last(authority, ':');
    *host = without_final_dot(bytes_of(authority.data, colon));
    bool good_port = colon == authority.size || is_number(skip(authority, colon + 1));
    return good_port && is_host_name(*host);
}

static enum match match_uri(struct bytes name, struct bytes base) {
    struct bytes host;
    if (!uri_host(name, &host)) {
        return MATCH_UNREADABLE;
    }
    return host_matches(host, without_final_dot(base)) ? MATCH_YES : MATCH_NO;
}

/* Matches an address with `base`, which is an address and a mask of the same size. */
static enum match match_ip(struct bytes name, struct bytes base) {
    if (base.size != 2 * name.size) {
        return MATCH_NO;
    }
    for (size_t i = 0; i < name.size; i++) {
        if (((name.data[i] ^ base.data[i]) & base.data[name.size + i]) != 0) {
            return MATCH_NO;
        }
    }
    return MATCH_YES;
}

static enum match match(uint8_t tag, struct bytes name, struct bytes base, bool excluding) {
    switch (tag) {
    case GENERAL_NAME_DNS:
        return match_dns(name, base, excluding);
    case GENERAL_NAME_EMAIL:
        return match_email(name, base);
    case GENERAL_NAME_URI:
        return match_uri(name, base);
    case GENERAL_NAME_IP:
        return match_ip(name, base);
    case GENERAL_NAME_DIRECTORY:
        return name_is_within(name, base) ? MATCH_YES : MATCH_NO;
    default:
        return MATCH_UNREADABLE;
    }
}

struct examination {
    const struct certificate *ca;
    unsigned *comparisons;
    struct constraints_fault *fault;
};

/*
 * Returns the cost of a subtree: 1 to look at it, and more for a long name of the same form. Directory names are read part
 * by part.
 */
static size_t cost_of(uint8_t tag, struct bytes name, uint8_t subtree_tag, struct bytes base) {
    size_t unit = tag == GENERAL_NAME_DIRECTORY ? CONSTRAINTS_DIRECTORY_UNIT : CONSTRAINTS_TEXT_UNIT;
    return subtree_tag == tag ? 1 + (name.size + base.size) / unit : 1;
}

/* Pays for a subtree. False when the comparisons do not suffice. */
static bool pay(const struct examination *examination, size_t cost) {
    if (*examination->comparisons < cost) {
        *examination->comparisons = 0;
        examination->fault->too_many = true;
        return false;
    }
    *examination->comparisons -= (unsigned)cost;
    return true;
}

static bool name_is_allowed(const struct examination *examination, uint8_t tag, struct bytes name) {
    uint8_t subtree_tag;
    struct bytes base;
    *examination->fault = (struct constraints_fault){.tag = tag, .name = name, .excluded = true};
    for (struct bytes rest = examination->ca->excluded; general_name_next_subtree(&rest, &subtree_tag, &base);) {
        if (!pay(examination, cost_of(tag, name, subtree_tag, base))) {
            return false;
        }
        if (subtree_tag == tag && match(tag, name, base, true) != MATCH_NO) {
            examination->fault->base = base;
            return false;
        }
    }
    bool constrained = false;
    examination->fault->excluded = false;
    for (struct bytes rest = examination->ca->permitted; general_name_next_subtree(&rest, &subtree_tag, &base);) {
        if (!pay(examination, cost_of(tag, name, subtree_tag, base))) {
            return false;
        }
        if (subtree_tag == tag) {
            if (!constrained) {
                examination->fault->base = base;
            }
            constrained = true;
            if (match(tag, name, base, false) == MATCH_YES) {
                return true;
            }
        }
    }
    return !constrained;
}

static bool subject_is_allowed(const struct examination *examination, struct bytes subject) {
    if (name_is_empty(subject)) {
        return true;
    }
    if (!name_is_allowed(examination, GENERAL_NAME_DIRECTORY, subject)) {
        return false;
    }
    struct name_reader reader = name_reader_of(subject);
    struct name_attribute attribute;
    while (name_next(&reader, &attribute)) {
        if (!bytes_equal(attribute.oid, OID_ATTRIBUTE_EMAIL)) {
            continue;
        }
        /* In UTF-16 or UTF-32 the address would match no subtree, an excluded one neither: it counts as one without a host.
         */
        bool wide = attribute.tag == DER_BMP_STRING || attribute.tag == DER_UNIVERSAL_STRING;
        if (!name_is_allowed(examination, GENERAL_NAME_EMAIL, wide ? bytes_of(NULL, 0) : attribute.value)) {
            return false;
        }
    }
    return true;
}

bool constraints_hold(const struct certificate *ca, const struct certificate *certificate, unsigned *comparisons,
                      struct constraints_fault *fault) {
    if (ca->permitted.size == 0 && ca->excluded.size == 0) {
        return true;
    }
    struct examination examination = {ca, comparisons, fault};
    if (!subject_is_allowed(&examination, certificate->subject)) {
        return false;
    }
    uint8_t tag;
    struct bytes name;
    for (struct bytes rest = certificate->san; general_name_next(&rest, &tag, &name);) {
        if (!name_is_allowed(&examination, tag, name)) {
            return false;
        }
    }
    return true;
}

const char *constraints_kind(uint8_t tag) {
    switch (tag) {
    case GENERAL_NAME_DNS:
        return "DNS name";
    case GENERAL_NAME_EMAIL:
        return "email address";
    case GENERAL_NAME_URI:
        return "URI";
    case GENERAL_NAME_IP:
        return "IP address";
    case GENERAL_NAME_DIRECTORY:
        return "directory name";
    default:
        return "name";
    }
}
