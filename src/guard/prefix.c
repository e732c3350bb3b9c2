#include "guard/prefix.h"

#include "base/ascii.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* Reads decimal digits without sign, spaces or needless zeros. */
static bool parse_bits(const char *text, unsigned most, uint8_t *bits) {
    unsigned value = 0;
    size_t size = strlen(text);
    if (size == 0 || size > 3 || (size > 1 && text[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!ascii_is_digit((uint8_t)text[i])) {
            return false;
        }
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *bits = (uint8_t)value;
    return value <= most;
}

/* Returns whether the first `bits` bits are the same. */
static bool same_front(const uint8_t *a, const uint8_t *b, unsigned bits) {
    unsigned whole = bits / 8;
    unsigned mask = 0xff00u >> (bits % 8) & 0xff;
    return memcmp(a, b, whole) == 0 && (bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

const char *prefix_parse(const char *text, struct prefix *prefix) {
    static const uint8_t zeros[16];
    const char *slash = strchr(text, '/');
    size_t size = slash == NULL ? strlen(text) : (size_t)(slash - text);

    char address[INET6_ADDRSTRLEN];
    *prefix = (struct prefix){.family = AF_INET, .bits = 32};
    if (size >= sizeof address) {
        return "is neither an IPv4 nor an IPv6 network";
    }
    memcpy(address, text, size);
    address[size] = '\0';
    if (inet_pton(AF_INET, address, prefix->address) != 1) {
        prefix->family = AF_INET6;
        prefix->bits = 128;
        if (inet_pton(AF_INET6, address, prefix->address) != 1) {
            return "is neither an IPv4 nor an IPv6 network";
        }
    }
    unsigned most = prefix->bits;
    if (slash != NULL && !parse_bits(slash + 1, most, &prefix->bits)) {
        return most == 32 ? "has a length that is not 0 to 32" : "has a length that is not 0 to 128";
    }
    uint8_t masked[16] = {0};
    unsigned whole = prefix->bits / 8;
    memcpy(masked, prefix->address, whole);
    if (prefix->bits % 8 != 0) {
        masked[whole] = prefix->address[whole] & (uint8_t)(0xff00u >> (prefix->bits % 8));
    }
    if (memcmp(masked, prefix->address, sizeof masked) != 0) {
        return "has bits set behind its length";
    }
    if (prefix->family == AF_INET6 && prefix->bits > 80 && memcmp(prefix->address, zeros, 10) == 0 &&
        prefix->address[10] == 0xff && prefix->address[11] == 0xff) {
        return "is an IPv4 network in IPv6: write it as IPv4";
    }
    return NULL;
}

bool prefix_covers(const struct prefix *prefix, const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        return prefix->family == AF_INET && same_front(prefix->address, (const uint8_t *)&in->sin_addr, prefix->bits);
    }
    const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(in6)) {
        return prefix->family == AF_INET && same_front(prefix->address, &in6->s6_addr[12], prefix->bits);
    }
    return prefix->family == AF_INET6 && same_front(prefix->address, in6->s6_addr, prefix->bits);
}

bool prefix_any_covers(const struct prefix *prefixes, size_t count, const struct sockaddr *address) {
    for (size_t i = 0; i < count; i++) {
        if (prefix_covers(&prefixes[i], address)) {
            return true;
        }
    }
    return false;
}

void prefix_write(const struct prefix *prefix, char text[static PREFIX_TEXT_SIZE]) {
    char address[INET6_ADDRSTRLEN];

    inet_ntop(prefix->family, prefix->address, address, sizeof address);
    snprintf(text, PREFIX_TEXT_SIZE, "%s/%u", address, prefix->bits);
}
