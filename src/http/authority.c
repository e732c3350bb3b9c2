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

bool http_authority_name(struct bytes authority, char name[static HTTP_NAME_SIZE]) {
    struct bytes host;
    if (!http_authority_host(authority, &host) || authority.data[0] == '[') {
        return false;
    }
    if (host.data[host.size - 1] == '.') {
        host.size--;
    }
    if (host.size == 0 || host.size >= HTTP_NAME_SIZE) {
        return false;
    }
    for (size_t i = 0; i < host.size; i++) {
        uint8_t c = host.data[i];
        name[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    name[host.size] = '\0';
    return true;
}

bool http_authority_is_address(struct bytes authority) {
    struct bytes host;
    return http_authority_host(authority, &host) && (authority.data[0] == '[' || is_address(host, AF_INET));
}
