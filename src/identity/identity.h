/*
 * Who a client is: the verdict on the chain it presented and the headers that say so, rendered once. An identity is
 * immutable, counted, and may be shared between threads and connections of the same host.
 */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include "base/reason.h"
#include "base/text.h"
#include "identity/field.h"
#include "path/revocation.h"
#include "path/trust.h"

#include <stdatomic.h>

enum {
    IDENTITY_HEADER_VALUE_MAX = 8 * 1024, /* a header with a longer value is replaced, see IDENTITY_TOO_LARGE */
    IDENTITY_SKI_MAX = 128,               /* bytes of each that are kept for logs */
    IDENTITY_SERIAL_MAX = 64,
    IDENTITY_ISSUER_MAX = 256,
    IDENTITY_DETAIL_SIZE = 256, /* bytes of `detail`, its NUL included */
};

/* Behind a header's name: the value is too large, and "true" comes in its place. */
#define IDENTITY_TOO_LARGE "-Too-Large"

/* One configured header: its name and what goes in it. */
struct forward_header {
    char *name;
    struct field field;
};

/* All headers that a host forwards, status and SKI included. Owned by the configuration. */
struct forward {
    struct forward_header *headers;
    size_t count;
};

enum { IDENTITY_DIGEST_SIZE = 32 /* SHA-256 */ };

/* What a host demands of a client certificate. Owned by the configuration, immutable. */
struct identity_policy {
    const struct trust *trust;
    size_t depth_max; /* intermediates + leaf, 1 to 16 */
    const struct forward *forward;
    const struct revocation *revocation; /* NULL: revocation is not checked */
    enum revocation_scope revocation_scope;
    size_t chain_size_max;  /* bytes of all certificates together; what is larger is too_large. 0: the caller sees to it */
    bool accept_stale_crls; /* a CRL past its nextUpdate still says that what it does not list is good */
    /* Set by identity_policy_seal when all else is: what the cache knows the policy by. */
    uint8_t digest[IDENTITY_DIGEST_SIZE];
};

/*
 * SHA-256 over all that a verdict and its headers depend on beside the chain and the time: the roots, the CRLs and how they
 * are taken, the depth and size of chains, the configured headers. By content, so that a reload that changes nothing for a
 * host leaves what is known of its clients in place, and one that does makes it unreachable.
 */
void identity_policy_seal(struct identity_policy *policy);

struct identity {
    atomic_uint references;
    enum status status;
    enum reason reason;
    int64_t valid_from;      /* the verdict holds from here ... */
    int64_t valid_until;     /* ... to here, seconds since the epoch, both included; for `valid` the path's and its CRLs' */
    int64_t not_after;       /* the leaf's; 0 when it cannot be read, or none was presented */
    unsigned signatures;     /* how many were checked to reach the verdict */
    uint32_t size;           /* bytes of all of it */
    uint8_t fingerprint[32]; /* SHA-256 of the leaf; zeros for STATUS_NONE */
    struct bytes headers;    /* "Name: value\r\n" for each configured field of the certificate that is present */
    struct bytes ski;        /* for logs: as the contract's fields have them, cut, and empty where they are absent */
    struct bytes serial;
    struct bytes issuer; /* issuer.dn */
    const char *detail;  /* for people: which certificate, which issuer, which date; "" when valid */
};

/*
 * Judges a chain (leaf first, the rest in any order) as of `now` and renders its headers. `count` 0: no certificate was
 * presented. `too_large`: it was longer than the limit allows. Never fails for what the peer sent, that is a reason;
 * NULL only when out of memory. The result has one reference.
 */
struct identity *identity_judge(const struct identity_policy *policy, const struct bytes *chain, size_t count,
                                bool too_large, int64_t now);

struct identity *identity_retain(struct identity *identity);
/* Frees it with its last reference. NULL is allowed. */
void identity_release(struct identity *identity);

/* What only the connection knows. NULL members give no header. */
struct forward_connection {
    const char *tls_version;
    const char *tls_cipher;
    const char *sni;
};

/* Appends the headers for FIELD_TLS_VERSION, FIELD_TLS_CIPHER and FIELD_SNI. */
void forward_render_connection(const struct forward *forward, const struct forward_connection *connection, struct text *out);

#endif
