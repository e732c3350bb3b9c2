#include "load/client_hello.h"

#include "base/check.h"

enum {
    RANDOM_SIZE = 32,
    SHARE_SIZE = 32,
    AGE_SIZE = 4,
    BINDER_SIZE = 32,
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_PRE_SHARED_KEY = 41,
};

/* The extensions that are always the same: groups, schemes, ALPN, versions, modes, each with its type and length. */
static const uint8_t fixed_extensions[] = {
    0x00, 0x0a, 0x00, 0x06, 0x00, 0x04, 0x00, 0x1d, 0x00, 0x17,                                     /* x25519, secp256r1 */
    0x00, 0x0d, 0x00, 0x10, 0x00, 0x0e, 0x04, 0x03, 0x05, 0x03, 0x08, 0x04, 0x08, 0x05, 0x08, 0x06, /* ECDSA and PSS */
    0x04, 0x01, 0x05, 0x01,                                                                         /* and PKCS #1 */
    0x00, 0x10, 0x00, 0x0b, 0x00, 0x09, 0x08, 'h',  't',  't',  'p',  '/',  '1',  '.',  '1',        /* ALPN */
    0x00, 0x2b, 0x00, 0x05, 0x04, 0x03, 0x04, 0x03, 0x03,                                           /* TLS 1.3 and 1.2 */
    0x00, 0x2d, 0x00, 0x02, 0x01, 0x01,                                                             /* psk_dhe_ke */
    0x00, 0x33, 0x00, 0x26, 0x00, 0x24, 0x00, 0x1d, 0x00, 0x20,                                     /* a share of x25519 */
};

static void put(struct client_hello *hello, const void *data, size_t size) {
    CHECK(size <= sizeof hello->data - hello->size);
    memcpy(hello->data + hello->size, data, size);
    hello->size = (uint16_t)(hello->size + size);
}

static void put_u8(struct client_hello *hello, unsigned value) {
    uint8_t byte = (uint8_t)value;

    put(hello, &byte, 1);
}

static void put_u16(struct client_hello *hello, size_t value) {
    put_u8(hello, (unsigned)(value >> 8));
    put_u8(hello, (unsigned)(value & 0xff));
}

/* Room for `size` bytes that are set later; where. */
static uint16_t put_room(struct client_hello *hello, size_t size) {
    uint16_t at = hello->size;

    CHECK(size <= sizeof hello->data - hello->size);
    memset(hello->data + at, 0, size);
    hello->size = (uint16_t)(at + size);
    return at;
}

/* The 16-bit length of all that was written behind it. */
static void close_length(struct client_hello *hello, uint16_t at) {
    size_t size = hello->size - at - 2U;

    hello->data[at] = (uint8_t)(size >> 8);
    hello->data[at + 1] = (uint8_t)size;
}

static void put_server_name(struct client_hello *hello, const char *name) {
    size_t size = strlen(name);

    CHECK(size <= 255);
    put_u16(hello, EXTENSION_SERVER_NAME);
    put_u16(hello, size + 5);
    put_u16(hello, size + 3);
    put_u8(hello, 0); /* host_name */
    put_u16(hello, size);
    put(hello, name, size);
}

static void put_ticket(struct client_hello *hello, size_t size) {
    CHECK(size <= CLIENT_HELLO_TICKET_MAX);
    put_u16(hello, EXTENSION_PRE_SHARED_KEY);
    put_u16(hello, 2 + 2 + size + AGE_SIZE + 2 + 1 + BINDER_SIZE);
    put_u16(hello, 2 + size + AGE_SIZE);
    put_u16(hello, size);
    hello->ticket_size = (uint16_t)size;
    hello->ticket_at = put_room(hello, size);
    hello->age_at = put_room(hello, AGE_SIZE);
    put_u16(hello, 1 + BINDER_SIZE);
    put_u8(hello, BINDER_SIZE);
    hello->binder_at = put_room(hello, BINDER_SIZE);
}

void client_hello_build(struct client_hello *hello, const char *name, size_t ticket_size) {
    static const uint8_t heads[] = {0x16, 0x03, 0x01, 0, 0, 0x01, 0x00, 0, 0, 0x03, 0x03};
    static const uint8_t suites[] = {0x00, 0x0a, 0x13, 0x01, 0x13, 0x03, 0x13, 0x02, 0xc0, 0x2b, 0xc0, 0x2f, 0x01, 0x00};
    enum { RECORD_LENGTH_AT = 3, MESSAGE_LENGTH_AT = 7 };

    *hello = (struct client_hello){0};
    put(hello, heads, sizeof heads);
    hello->random_at = put_room(hello, RANDOM_SIZE);
    put_u8(hello, RANDOM_SIZE);
    hello->session_at = put_room(hello, RANDOM_SIZE);
    put(hello, suites, sizeof suites); /* and no compression */
    uint16_t extensions = put_room(hello, 2);
    put_server_name(hello, name);
    put(hello, fixed_extensions, sizeof fixed_extensions);
    hello->share_at = put_room(hello, SHARE_SIZE);
    if (ticket_size > 0) {
        put_ticket(hello, ticket_size);
    }
    close_length(hello, extensions);
    close_length(hello, RECORD_LENGTH_AT);
    close_length(hello, MESSAGE_LENGTH_AT);
}

void client_hello_set_ticket(struct client_hello *hello, struct bytes ticket) {
    CHECK(ticket.size == hello->ticket_size);
    memcpy(hello->data + hello->ticket_at, ticket.data, ticket.size);
}

struct bytes client_hello_unbound(const struct client_hello *hello) {
    enum { LENGTHS_SIZE = 2 + 1 }; /* of the list of binders, and of the one in it */

    CHECK(hello->ticket_size > 0);
    return bytes_of(hello->data + CLIENT_HELLO_RECORD_HEADER, hello->binder_at - LENGTHS_SIZE - CLIENT_HELLO_RECORD_HEADER);
}

void client_hello_refresh(struct client_hello *hello, struct noise *noise, bool ticket) {
    noise_fill(noise, hello->data + hello->random_at, RANDOM_SIZE);
    noise_fill(noise, hello->data + hello->session_at, RANDOM_SIZE);
    noise_fill(noise, hello->data + hello->share_at, SHARE_SIZE);
    if (hello->ticket_size == 0) {
        return;
    }
    if (ticket) {
        noise_fill(noise, hello->data + hello->ticket_at, hello->ticket_size);
    }
    noise_fill(noise, hello->data + hello->age_at, AGE_SIZE);
    noise_fill(noise, hello->data + hello->binder_at, BINDER_SIZE);
}
