#include "http/authority.h"

#include <arpa/inet.h>

static bool port_is_valid(struct bytes port) {
    unsigned number = 0;
    for (size_t i = 0; i < port.size; i++) {
        if (!ascii_is_digit(port.data[i])) {
            return false;
        }
        number = number * 10 + (port.data[i] - '0');
        if (number > 65535) {
            return false;
        }
    }
    return true;
}

/*
 * A reg-name of RFC 3986 has dots anywhere, also two in a row; what it has beyond that, sub-delimiters and percent-encoding,
 * cannot be part of a name that is served.
 */
static bool is_name_character(uint8_t c) {
    return host_name_has(c) || c == '.';
}

/* `family`: AF_INET or AF_INET6. */
static bool is_address(struct bytes text, int family) {
    char buffer[INET6_ADDRSTRLEN];
    struct in6_addr address; /* has room for either */
    if (text.size == 0 || text.size >= sizeof buffer || memchr(text.data, 0, text.size) != NULL) {
        return false;
    }
    memcpy(buffer, text.data, text.size);
    buffer[text.size] = '\0';
    return inet_pton(family, buffer, &address) == 1;
}

bool http_authority_host(struct bytes authority, struct bytes *host) {
    struct bytes rest;
    if (authority.size > 0 && authority.data[0] == '[') {
        const uint8_t *end = memchr(authority.data, ']', authority.size);
        if (end == NULL) {
            return false;
        }
        *host = bytes_of(authority.data + 1, (size_t)(end - authority.data) - 1);
        rest = bytes_of(end + 1, authority.size - host->size - 2);
        if (!is_address(*host, AF_INET6)) {
            return false;
        }
    } else {
        size_t size = 0;
        while (size < authority.size && is_name_character(authority.data[size])) {
            size++;
        }
        *host = bytes_of(authority.data, size);
        rest = bytes_of(authority.data + size, authority.size - size);
    }
    if (host->size == 0) {
        return false;
    }
    return rest.size == 0 || (rest.data[0] == ':' && port_is_valid(bytes_of(rest.data + 1, rest.size - 1)));
}

/* A name with an empty label is well-formed here, unlike in TLS: no host has it, so the request is misdirected, not bad. */
bool http_authority_name(struct bytes authority, char name[static HTTP_NAME_SIZE]) {
    struct bytes host;
    if (!http_authority_host(authority, &host) || authority.data[0] == '[') {
        return false;
    }
    enum host_name_fault fault = host_name_fold(host, name);
    return fault == HOST_NAME_GOOD || fault == HOST_NAME_EMPTY_LABEL;
}

bool http_authority_is_address(struct bytes authority) {
    struct bytes host;
    return http_authority_host(authority, &host) && (authority.data[0] == '[' || is_address(host, AF_INET));
}
