#include "http/syntax.h"

#include <arpa/inet.h>

static bool port_is_valid(struct bytes port) {
    unsigned number = 0;
    for (size_t i = 0; i < port.size; i++) {
        if (port.data[i] < '0' || port.data[i] > '9') {
            return false;
        }
        number = number * 10 + (port.data[i] - '0');
        if (number > 65535) {
            return false;
        }
    }
    return true;
}

/* RFC 3986's reg-name without its sub-delimiters and percent-encoding: neither can be part of a name that is served. */
static bool is_name_character(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static bool is_ipv6_address(struct bytes text) {
    char buffer[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (text.size == 0 || text.size >= sizeof buffer || memchr(text.data, 0, text.size) != NULL) {
        return false;
    }
    memcpy(buffer, text.data, text.size);
    buffer[text.size] = '\0';
    return inet_pton(AF_INET6, buffer, &address) == 1;
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
        if (!is_ipv6_address(*host)) {
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

bool http_authority_names(struct bytes authority, const char *host) {
    struct bytes name;
    if (!http_authority_host(authority, &name)) {
        return false;
    }
    if (name.data[name.size - 1] == '.') {
        name.size--;
    }
    if (host[0] != '*') {
        return http_text_is(name, host);
    }
    /* What stands for the '*' is all before the first dot, so it can never be more than one label. */
    const uint8_t *dot = memchr(name.data, '.', name.size);
    if (dot == NULL || dot == name.data) {
        return false;
    }
    return http_text_is(bytes_of(dot, name.size - (size_t)(dot - name.data)), host + 1);
}
