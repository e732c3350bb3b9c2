#include "base/socket_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Only getaddrinfo reads a zone. */
static int parse_ipv6(const char *host, uint16_t port, struct sockaddr_in6 *address) {
    struct addrinfo hints = {.ai_family = AF_INET6, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;

    if (host[0] == '\0' || getaddrinfo(host, NULL, &hints, &found) != 0) {
        return -EINVAL;
    }
    memcpy(address, found->ai_addr, sizeof *address);
    freeaddrinfo(found);
    address->sin6_port = htons(port);
    return 0;
}

/* inet_pton takes four numbers only; getaddrinfo would take "127.1" and "0x7f000001" too. */
static int parse_ipv4(const char *host, uint16_t port, struct sockaddr_in *address) {
    address->sin_family = AF_INET;
    address->sin_port = htons(port);
    return inet_pton(AF_INET, host, &address->sin_addr) == 1 ? 0 : -EINVAL;
}

/* Reads the digits up to the end of the text. */
static int parse_port(const char *text, uint16_t *port) {
    if (*text < '0' || *text > '9') {
        return -EINVAL;
    }
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    *port = (uint16_t)number;
    return *end == '\0' && number <= UINT16_MAX ? 0 : -EINVAL;
}

int socket_address_parse(const char *text, struct sockaddr_storage *address, socklen_t *size) {
    const char *colon = strrchr(text, ':');

    memset(address, 0, sizeof *address);
    uint16_t port;
    if (colon == NULL || parse_port(colon + 1, &port) < 0) {
        return -EINVAL;
    }
    size_t host_size = (size_t)(colon - text);
    char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
    if (host_size == 0 || host_size >= sizeof host) {
        return -EINVAL;
    }
    if (text[0] == '[' && text[host_size - 1] == ']') {
        memcpy(host, text + 1, host_size - 2);
        host[host_size - 2] = '\0';
        *size = sizeof(struct sockaddr_in6);
        return parse_ipv6(host, port, (struct sockaddr_in6 *)address);
    }
    memcpy(host, text, host_size);
    host[host_size] = '\0';
    *size = sizeof(struct sockaddr_in);
    return parse_ipv4(host, port, (struct sockaddr_in *)address);
}
