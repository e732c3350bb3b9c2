#include "config/address.h"

#include "base/check.h"
#include "base/host_name.h"
#include "base/socket_address.h"
#include "config/units.h"
#include "dns/set.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

/* The parts of "host:port". */
struct parts {
    char host[ADDRESS_NAME_MAX + 1]; /* without brackets */
    uint16_t port;
    bool bracketed;
};

static const char *check_label(const char *label, size_t size) {
    if (size == 0) {
        return "an empty label";
    }
    if (size > 63) {
        return "a label of more than 63 characters";
    }
    if (label[0] == '-' || label[size - 1] == '-') {
        return "a label that begins or ends with \"-\"";
    }
    return NULL;
}

const char *address_check_name(const char *name) {
    size_t size = strlen(name);
    if (size == 0 || size > ADDRESS_NAME_MAX) {
        return size == 0 ? "an empty name" : "more than 253 characters";
    }
    if (name[size - 1] == '.') {
        return "a trailing dot; leave it out";
    }
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)name[i] >= 0x80) {
            return "a character beyond ASCII; write the name in its xn-- form";
        } else if (name[i] == ':' || name[i] == '/') {
            return "a \":\" or \"/\"; write the name alone, without scheme, port and path";
        } else if (name[i] == ' ' || name[i] == ',') {
            return "a space or comma; write one name, and give others hosts of their own";
        } else if (name[i] != '.' && !host_name_has((uint8_t)name[i])) {
            return "a character that a host name cannot have";
        }
    }
    const char *label = name;
    for (;;) {
        size_t label_size = strcspn(label, ".");
        const char *fault = check_label(label, label_size);
        if (fault != NULL) {
            return fault;
        }
        if (label[label_size] == '\0') {
            break;
        }
        label += label_size + 1;
    }
    return label[strspn(label, "0123456789")] == '\0'
               ? "a last label of digits alone, as in an IP address: the default host serves those"
               : NULL;
}

static int fail(struct error *error, const char *what) {
    return error_fail(error, -EINVAL, "%s", what);
}

/* Says what to write instead of a URL: its authority, and where that has no port, the default one of the scheme. */
static int refuse_url(const char *text, const char *authority, struct error *error) {
    enum { AUTHORITY_MAX = 40 };
    bool is_https = strncasecmp(text, "https:", 6) == 0;
    int size = (int)strcspn(authority, "/?#");
    const char *bracket = memchr(authority, ']', (size_t)size);
    const char *host_end = bracket == NULL ? authority : bracket;
    bool has_port = memchr(host_end, ':', (size_t)(authority + size - host_end)) != NULL;
    if (size == 0 || size > AUTHORITY_MAX) {
        return fail(error, "is a URL; write host and port alone, with \":\" between them");
    }
    return error_fail(error, -EINVAL, "is a URL; write \"%.*s%s\"%s", size, authority,
                      has_port   ? ""
                      : is_https ? ":443"
                                 : ":80",
                      is_https ? "; for TLS, set origin_tls" : "");
}

/* Refuses what people write that is not an address and a port at all. */
static int refuse_other_forms(const char *text, struct error *error) {
    const char *scheme_end = strstr(text, "://");
    if (address_is_unix(text)) {
        return fail(error, "is a Unix socket, and only origins may be those; write address:port");
    }
    if (text[0] == '/' || text[0] == '.') {
        return fail(error, "is a path; write address:port, or unix: before the path for an origin that is a Unix socket");
    }
    if (scheme_end != NULL) {
        return refuse_url(text, scheme_end + 3, error);
    }
    if (strpbrk(text, " ,;") != NULL) {
        return fail(error, "has a space or comma in it; write one address:port, and others as items of their own");
    }
    if (strchr(text, '/') != NULL) {
        return fail(error, "has a path; write host and port alone, with \":\" between them");
    }
    return 0;
}

static int split(const char *text, struct parts *parts, struct error *error) {
    const char *host = text;
    int result = refuse_other_forms(text, error);
    if (result < 0) {
        return result;
    }
    const char *host_end = strchr(text, ':');
    parts->bracketed = text[0] == '[';
    if (parts->bracketed) {
        host++;
        host_end = strchr(text, ']');
        if (host_end == NULL || host_end[1] != ':') {
            return fail(error, "must be [address]:port");
        }
    } else if (host_end == NULL) {
        return fail(error, "has no port; write address:port");
    } else if (strchr(host_end + 1, ':') != NULL) {
        bool is_ipv6 = text[strspn(text, "0123456789abcdefABCDEF:.")] == '\0';
        return fail(error, is_ipv6 ? "an IPv6 address must be in brackets: [address]:port"
                                   : "has more than one \":\"; write address:port");
    }
    size_t host_size = (size_t)(host_end - host);
    if (host_size == 0) {
        return fail(error, "has no address before the port");
    }
    if (host_size >= sizeof parts->host) {
        return fail(error, "the address is too long");
    }
    memcpy(parts->host, host, host_size);
    parts->host[host_size] = '\0';
    const char *port = host_end + (parts->bracketed ? 2 : 1);
    uint64_t number = 0;
    if (!units_parse_number(port, &number) || number < 1 || number > 65535) {
        return fail(error, "the port must be a number from 1 to 65535");
    }
    parts->port = (uint16_t)number;
    return 0;
}

static void fill(struct config_address *address, const void *socket_address, size_t size) {
    *address = (struct config_address){.size = (socklen_t)size};
    CHECK(size <= sizeof address->address);
    memcpy(&address->address, socket_address, size);
}

static bool parse_numeric(const char *text, struct config_address *address) {
    *address = (struct config_address){0};
    return socket_address_parse(text, &address->address, &address->size) == 0;
}

int address_parse(const char *text, struct config_address *address, struct error *error) {
    if ((text[0] == ':' && text[1] != ':') || text[0] == '*') {
        return fail(error, "has no address before the port; 0.0.0.0 is all IPv4 addresses, [::] all IPv6 ones");
    }
    struct parts parts = {0};
    int result = split(text, &parts, error);
    if (result < 0) {
        return result;
    }
    if (!parse_numeric(text, address)) {
        return fail(error, parts.bracketed ? "is not an IPv6 address and port"
                                           : "is not an IPv4 address and port; write the address in digits, not a name");
    }
    return 0;
}

void address_write(const struct config_address *address, char out[static ADDRESS_TEXT_SIZE]) {
    char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
    char port[8];
    int result = getnameinfo((const struct sockaddr *)&address->address, address->size, host, sizeof host, port, sizeof port,
                             NI_NUMERICHOST | NI_NUMERICSERV);
    CHECK(result == 0);
    bool is_ipv6 = address->address.ss_family == AF_INET6;
    int size = snprintf(out, ADDRESS_TEXT_SIZE, is_ipv6 ? "[%s]:%s" : "%s:%s", host, port);
    CHECK(size > 0 && size < ADDRESS_TEXT_SIZE);
}

static char *format(const struct config_address *address) {
    char text[ADDRESS_TEXT_SIZE];
    address_write(address, text);
    char *copy = strdup(text);
    CHECK(copy != NULL);
    return copy;
}

void address_of_dns(const union dns_address *found, struct config_address *address) {
    fill(address, found, dns_address_size(found));
    address->text = format(address);
}

int address_read(const char *text, struct config_address *address, struct error *error) {
    struct parts parts = {0};
    int result = split(text, &parts, error);
    if (result < 0) {
        return result;
    }
    if (parse_numeric(text, address)) {
        address->text = format(address);
        return 0;
    }
    /* A dot at the end keeps the domains away that resolv.conf says to search. */
    size_t size = strlen(parts.host);
    if (size > 1 && parts.host[size - 1] == '.') {
        parts.host[size - 1] = '\0';
    }
    if (parts.bracketed || address_check_name(parts.host) != NULL) {
        return fail(error, "is neither IPv4:port, [IPv6]:port nor name:port");
    }
    return ADDRESS_IS_NAME;
}

uint16_t address_name(const char *text, char name[static ADDRESS_NAME_MAX + 1]) {
    struct parts parts = {0};
    struct error error;
    CHECK(split(text, &parts, &error) == 0);
    memcpy(name, parts.host, sizeof parts.host);
    return parts.port;
}

static const char unix_prefix[] = "unix:";

bool address_is_unix(const char *text) {
    return strncasecmp(text, unix_prefix, sizeof unix_prefix - 1) == 0;
}

/* Copies the path, or the name behind a NUL, and sets the size. */
static int fill_unix(const char *path, struct config_address *address, struct error *error) {
    struct sockaddr_un *local = (struct sockaddr_un *)&address->address;
    size_t size = strlen(path);
    bool is_abstract = path[0] == '@';
    if (size >= sizeof local->sun_path) {
        return error_fail(error, -EINVAL, "the path of the socket has %zu characters, and the system takes %zu at most",
                          size, sizeof local->sun_path - 1);
    }
    local->sun_family = AF_UNIX;
    memcpy(local->sun_path, path, size);
    if (is_abstract) {
        local->sun_path[0] = '\0';
    }
    address->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + !is_abstract);
    return 0;
}

int address_unix(const char *text, const char *directory, struct config_address *address, struct error *error) {
    const char *path = text + sizeof unix_prefix - 1;
    *address = (struct config_address){0};
    if (strncmp(text, unix_prefix, sizeof unix_prefix - 1) != 0) {
        return fail(error, "must begin with \"unix:\" in lower case");
    }
    if (path[0] == '\0' || strcmp(path, "@") == 0) {
        return fail(error, "has no path; write unix:/run/app.sock");
    }
    if (strncmp(path, "//", 2) == 0) {
        return error_fail(error, -EINVAL, "has \"//\" before its path; write unix:/%s", path + strspn(path, "/"));
    }
    bool is_relative = path[0] != '/' && path[0] != '@';
    CHECK(asprintf(&address->text, "%s%s%s", unix_prefix, is_relative ? directory : "", path) >= 0);
    int result = fill_unix(address->text + sizeof unix_prefix - 1, address, error);
    if (result < 0) {
        free(address->text);
        address->text = NULL;
    }
    return result;
}

bool address_is_name(const char *text) {
    struct config_address address;
    return !parse_numeric(text, &address);
}

static const struct sockaddr_in *ipv4(const struct config_address *address) {
    return (const struct sockaddr_in *)&address->address;
}

static const struct sockaddr_in6 *ipv6(const struct config_address *address) {
    return (const struct sockaddr_in6 *)&address->address;
}

bool address_equal(const struct config_address *a, const struct config_address *b) {
    if (a->address.ss_family != b->address.ss_family) {
        return false;
    }
    if (a->address.ss_family == AF_INET) {
        return ipv4(a)->sin_port == ipv4(b)->sin_port && ipv4(a)->sin_addr.s_addr == ipv4(b)->sin_addr.s_addr;
    }
    return ipv6(a)->sin6_port == ipv6(b)->sin6_port && ipv6(a)->sin6_scope_id == ipv6(b)->sin6_scope_id &&
           memcmp(&ipv6(a)->sin6_addr, &ipv6(b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

bool address_is_loopback(const struct config_address *address) {
    enum { FIRST_OCTET = 127, MAPPED_AT = 12 };
    if (address->address.ss_family == AF_INET) {
        return ntohl(ipv4(address)->sin_addr.s_addr) >> 24 == FIRST_OCTET;
    }
    const struct in6_addr *ipv6_address = &ipv6(address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(ipv6_address) ||
           (IN6_IS_ADDR_V4MAPPED(ipv6_address) && ipv6_address->s6_addr[MAPPED_AT] == FIRST_OCTET);
}

bool address_is_any(const struct config_address *address) {
    if (address->address.ss_family == AF_INET) {
        return ipv4(address)->sin_addr.s_addr == htonl(INADDR_ANY);
    }
    return IN6_IS_ADDR_UNSPECIFIED(&ipv6(address)->sin6_addr);
}

bool address_is_group(const struct config_address *address) {
    if (address->address.ss_family == AF_INET) {
        in_addr_t ip = ntohl(ipv4(address)->sin_addr.s_addr);
        return IN_MULTICAST(ip) || ip == INADDR_BROADCAST;
    }
    return IN6_IS_ADDR_MULTICAST(&ipv6(address)->sin6_addr);
}

static in_port_t port_of(const struct config_address *address) {
    return address->address.ss_family == AF_INET ? ipv4(address)->sin_port : ipv6(address)->sin6_port;
}

bool address_overlaps(const struct config_address *a, const struct config_address *b) {
    if (a->address.ss_family != b->address.ss_family || port_of(a) != port_of(b)) {
        return false;
    }
    return address_is_any(a) || address_is_any(b) || address_equal(a, b);
}
