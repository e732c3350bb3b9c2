/*
 * A ClientHello taken apart (RFC 8446 sections 4.1.2 and 4.2, RFC 5246 section 7.4.1.2, and the extensions' own RFCs):
 * everything that holds whichever version is agreed on. Knows nothing of records; judge.h says what the offer is worth.
 */
#ifndef GUARD_OFFER_H
#define GUARD_OFFER_H

#include "guard/hello.h"
#include "guard/registry.h"

enum { OFFER_TLS12 = 0x0303, OFFER_TLS13 = 0x0304 };

/* Views into the hello: lists without the lengths in front of them. Empty where the hello has none. */
struct offer {
    struct bytes head; /* all that is in front of the extensions: version, random, session ID, suites, compression */
    struct bytes suites;
    struct bytes compression; /* never empty */
    struct bytes extensions;  /* as they came */
    uint64_t present;         /* bit T: extension T is there, for T < EXTENSION_TRACKED */
    struct bytes extension[EXTENSION_TRACKED];

    struct bytes versions; /* empty when absent: the hello is of TLS 1.2 */
    struct bytes groups;
    struct bytes signatures;
    unsigned use; /* registry.h: what this server has of the suites, groups and schemes on offer */
};

/*
 * Reads the body of a complete ClientHello, which is what follows its handshake header. True: `offer` is filled, with
 * views into `body`, and so are the name, what ALPN offers and the limits of record sizes of `hello`, which must be zeroed
 * before. False: `alert` and `fault` of `hello` are. Time is linear in the size.
 */
bool offer_read(struct bytes body, struct offer *offer, struct hello *hello);

/*
 * Takes over a host name as server_name has it, in lower case and without a trailing dot, to hello->name, which must be ""
 * before; an address leaves it so. RFC 6066 section 3: it is a DNS name; false, with alert and fault, for any other.
 */
bool offer_take_name(struct bytes name, struct hello *hello);

/*
 * The content of a vector whose length, a number of `length_size` (1 or 2) bytes, must take up `outer` exactly (RFC 8446
 * section 3.4). False when it does not, or when it is not at least `size_min` bytes in whole elements of `element_size`.
 */
bool offer_vector(struct bytes outer, size_t length_size, size_t size_min, size_t element_size, struct bytes *content);

static inline bool offer_has(const struct offer *offer, enum extension_type type) {
    return (offer->present >> type & 1) != 0;
}

/* The element at a byte offset of a list of 16-bit numbers, which must hold it. */
static inline uint16_t offer_u16(struct bytes list, size_t offset) {
    return (uint16_t)(list.data[offset] << 8 | list.data[offset + 1]);
}

/* Always false, so that a check can end with it. */
static inline bool offer_reject(struct hello *hello, enum tls_alert alert, const char *fault) {
    hello->alert = alert;
    hello->fault = fault;
    return false;
}

#endif
