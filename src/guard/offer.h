/*
 * A ClientHello taken apart (RFC 8446 sections 4.1.2 and 4.2, RFC 5246 section 7.4.1.2, and the extensions' own RFCs):
 * everything that holds whichever version is agreed on. Knows nothing of records (hello.h), nor of what the server has
 * (offer_rules.h).
 */
#ifndef GUARD_OFFER_H
#define GUARD_OFFER_H

#include "base/bytes.h"
#include "base/host_name.h"
#include "base/tls_alert.h"
#include "guard/registry.h"

enum { OFFER_TLS12 = 0x0303, OFFER_TLS13 = 0x0304 };
enum { HELLO_NAME_MAX = HOST_NAME_SIZE - 1 };

/* The facts of a hello that the server needs. */
struct hello {
    enum tls_alert alert;          /* of a hello that is refused */
    const char *fault;             /* likewise: what is wrong, a static text */
    char name[HELLO_NAME_MAX + 1]; /* server name, lower case, without a trailing dot; "" when the hello has none */
    bool tls13;                    /* the handshake will be of TLS 1.3, otherwise of TLS 1.2 */
    bool alpn;                     /* offers any application protocol */
    bool alpn_h2;                  /* offers h2 (RFC 9113 section 3.1) */
    bool alpn_http11;              /* offers http/1.1 */
    bool alpn_http10;              /* offers http/1.0 */
    struct bytes first_ticket;  /* the first one, in `received`; empty when there is none, or it lies in several records */
    bool resumable;             /* could resume safely: psk_dhe_ke in TLS 1.3, else extended_master_secret */
    uint16_t records;           /* that it came in, so far: for HELLO_INCOMPLETE too. More than one: see hello_join */
    bool lacks_curve;           /* TLS 1.3, and of the server's groups it offers hybrids alone (base/key_group.h) */
    bool could_be_hybrid;       /* TLS 1.3, and it offers a hybrid group, and no key share of one */
    bool early_data;            /* TLS 1.3, and what follows the hello at once may be early data */
    uint8_t max_fragment;       /* max_fragment_length (RFC 6066 section 4): 1 to 4 for 512 to 4096 bytes; 0: none */
    uint16_t record_size_limit; /* RFC 8449: 64 or more bytes; 0: none. With one, max_fragment is 0 */
    uint8_t keys;               /* enum registry_key: in that version the client can verify a signature by any of these */
    uint16_t chain_schemes;     /* enum registry_scheme: by which the certificates may be signed */
};

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
    struct bytes chain_signatures; /* signature_algorithms_cert */
    unsigned use;                  /* registry.h: what this server has of the suites and groups on offer */
    unsigned schemes;              /* registry.h: likewise of the signature schemes */
};

/*
 * Reads the body of a complete ClientHello, which is what follows its handshake header. True: `offer` is filled, with
 * views into `body`, and so are the name, the ALPN flags, the limits of record sizes and the schemes of the chain of
 * `hello`, which must be zeroed before. False: `alert` and `fault` of `hello` are. Time is linear in the size.
 */
bool offer_read(struct bytes body, struct offer *offer, struct hello *hello);

/*
 * Writes a host name of the extension server_name to hello->name, in lower case and without a trailing dot; hello->name must
 * be "" before, and stays so for an address. False, with alert and fault, for what is no DNS name (RFC 6066 section 3).
 */
bool offer_take_name(struct bytes name, struct hello *hello);

/*
 * Reads the content of a vector whose length, a number of `length_size` (1 or 2) bytes, must take up `outer` exactly (RFC
 * 8446 section 3.4). False when it does not, or the content is not at least `size_min` bytes in whole elements of
 * `element_size`.
 */
bool offer_vector(struct bytes outer, size_t length_size, size_t size_min, size_t element_size, struct bytes *content);

static inline bool offer_has(const struct offer *offer, enum extension_type type) {
    return (offer->present >> type & 1) != 0;
}

/* Returns the element at a byte offset of a list of 16-bit numbers, which must hold it. */
static inline uint16_t offer_u16(struct bytes list, size_t offset) {
    return (uint16_t)(list.data[offset] << 8 | list.data[offset + 1]);
}

/* Notes why the hello is refused. Always false, so that a check can end with it. */
static inline bool offer_reject(struct hello *hello, enum tls_alert alert, const char *fault) {
    hello->alert = alert;
    hello->fault = fault;
    return false;
}

#endif
