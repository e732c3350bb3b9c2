#include "guard/proxy_write.h"

#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "guard/proxy_protocol.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum {
    SUBTYPE_VERSION = 0x21,
    SUBTYPE_COMMON_NAME = 0x22,
    SUBTYPE_CIPHER = 0x23,
    CLIENT_SSL = 0x01,
    CLIENT_CERT_CONN = 0x02,
    CLIENT_CERT_SESS = 0x04,
    AUTHORITY_MAX = 255,
    WORD_MAX = 12,
    CIPHER_MAX = 48,
    FRONT_SIZE = 16,
    ADDRESSES_MAX = 36,
    VECTOR_FRONT = 3,
};

_Static_assert(FRONT_SIZE + ADDRESSES_MAX + 6 * VECTOR_FRONT + PROXY_SSL_FRONT + AUTHORITY_MAX + 2 * WORD_MAX + CIPHER_MAX +
                       PROXY_WRITE_COMMON_NAME_MAX <=
                   PROXY_WRITE_MAX,
               "everything fits");

static const uint8_t front[] = PROXY_SIGNATURE;

/* An endpoint's address in network byte order, and its port. */
struct endpoint {
    uint8_t address[16];
    in_port_t port;
};

static struct endpoint endpoint_of(const struct sockaddr *any, int family) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)any;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)any;
    struct endpoint endpoint = {.port = any->sa_family == AF_INET ? in->sin_port : in6->sin6_port};

    if (any->sa_family == family && family == AF_INET) {
        memcpy(endpoint.address, &in->sin_addr, sizeof in->sin_addr);
    } else if (any->sa_family == family) {
        memcpy(endpoint.address, &in6->sin6_addr, sizeof in6->sin6_addr);
    }
    return endpoint;
}

size_t proxy_write_v1(const struct proxy_facts *facts, uint8_t out[static PROXY_WRITE_MAX]) {
    int family = facts->client->sa_family;
    struct endpoint client = endpoint_of(facts->client, family);
    struct endpoint server = endpoint_of(facts->server, family);
    char texts[2][INET6_ADDRSTRLEN];
    struct text text = text_over(out, PROXY_WRITE_MAX);

    inet_ntop(family, client.address, texts[0], sizeof texts[0]);
    inet_ntop(family, server.address, texts[1], sizeof texts[1]);
    text_append_format(&text, "PROXY TCP%d %s %s %u %u\r\n", family == AF_INET ? 4 : 6, texts[0], texts[1],
                       ntohs(client.port), ntohs(server.port));
    CHECK(!text.overflow);
    return text.size;
}

static void put_size(uint8_t at[static 2], size_t size) {
    at[0] = (uint8_t)(size >> 8);
    at[1] = (uint8_t)size;
}

static void put_vector(struct text *out, uint8_t type, struct bytes value, size_t most) {
    uint8_t head[VECTOR_FRONT] = {type};

    if (value.size == 0 || value.size > most) {
        return;
    }
    put_size(head + 1, value.size);
    text_append(out, head, sizeof head);
    text_append_bytes(out, value);
}

/* Returns whether the text, which is UTF-8, has a control character: C0, DEL or C1. Origins write names into their logs. */
static bool has_control(struct bytes text) {
    uint32_t character;

    while (text.size > 0) {
        if (!utf8_read(&text, &character) || character < 0x20 || (character >= 0x7f && character < 0xa0)) {
            return true;
        }
    }
    return false;
}

static void put_ssl(struct text *out, const struct proxy_facts *facts) {
    size_t at = out->size;
    uint8_t client = CLIENT_SSL | (facts->presented ? CLIENT_CERT_CONN : 0) | (facts->certified ? CLIENT_CERT_SESS : 0);
    const uint8_t head[VECTOR_FRONT + PROXY_SSL_FRONT] = {PROXY_TYPE_SSL, 0, 0, client, 0, 0, 0, facts->valid ? 0 : 1};

    text_append(out, head, sizeof head);
    put_vector(out, SUBTYPE_VERSION, facts->tls_version, WORD_MAX);
    if (!has_control(facts->common_name)) {
        put_vector(out, SUBTYPE_COMMON_NAME, facts->common_name, PROXY_WRITE_COMMON_NAME_MAX);
    }
    put_vector(out, SUBTYPE_CIPHER, facts->tls_cipher, CIPHER_MAX);
    put_size((uint8_t *)out->data + at + 1, out->size - at - VECTOR_FRONT);
}

size_t proxy_write_v2(const struct proxy_facts *facts, uint8_t out[static PROXY_WRITE_MAX]) {
    int family = facts->client->sa_family;
    struct endpoint client = endpoint_of(facts->client, family);
    struct endpoint server = endpoint_of(facts->server, family);
    size_t address_size = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
    const uint8_t kind[4] = {PROXY_VERSION_2 | PROXY_COMMAND_PROXY,
                             family == AF_INET ? PROXY_INET_STREAM : PROXY_INET6_STREAM};
    struct text text = text_over(out, PROXY_WRITE_MAX);

    text_append(&text, front, sizeof front);
    text_append(&text, kind, sizeof kind);
    text_append(&text, client.address, address_size);
    text_append(&text, server.address, address_size);
    text_append(&text, &client.port, sizeof client.port);
    text_append(&text, &server.port, sizeof server.port);
    put_vector(&text, PROXY_TYPE_ALPN, facts->protocol, WORD_MAX);
    put_vector(&text, PROXY_TYPE_AUTHORITY, facts->authority, AUTHORITY_MAX);
    put_ssl(&text, facts);
    CHECK(!text.overflow);
    put_size(out + sizeof front + 2, text.size - FRONT_SIZE);
    return text.size;
}

size_t proxy_write_v1_unknown(uint8_t out[static PROXY_WRITE_MAX]) {
    static const char header[] = "PROXY UNKNOWN\r\n";

    memcpy(out, header, sizeof header - 1);
    return sizeof header - 1;
}

size_t proxy_write_v2_local(uint8_t out[static PROXY_WRITE_MAX]) {
    static const uint8_t kind[FRONT_SIZE - sizeof front] = {PROXY_VERSION_2 | PROXY_COMMAND_LOCAL}; /* no addresses */

    memcpy(out, front, sizeof front);
    memcpy(out + sizeof front, kind, sizeof kind);
    return FRONT_SIZE;
}
