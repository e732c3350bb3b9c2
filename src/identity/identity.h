/*
 * Identities: the verdict on the chain that a client has presented, and the headers that tell an origin, rendered once. An
 * identity is immutable, counted, and may be shared between threads and connections of the same host.
 */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include "base/reason.h"
#include "base/text.h"
#include "identity/forward.h"
#include "path/revocation.h"
#include "path/trust.h"

#include <stdatomic.h>

enum {
    IDENTITY_ANSWER_SIZE_MAX = 8 * 1024, /* names and values of all headers of answers; more are replaced likewise */
    IDENTITY_SKI_MAX = 128,              /* this and the next two: bytes of each that are kept for logs */
    IDENTITY_SERIAL_MAX = 64,
    IDENTITY_ISSUER_MAX = 256,
    IDENTITY_DETAIL_SIZE = 256, /* bytes of `detail`, its NUL included */
};

enum { IDENTITY_DIGEST_SIZE = 32 /* SHA-256 */ };

/* The demands of a host on client certificates. Owned by the configuration, immutable. */
struct identity_policy {
    const struct trust *trust;
    size_t depth_max;                    /* intermediates + leaf, 1 to 16 */
    const struct forward *forward;       /* headers of requests */
    const struct forward *answers;       /* headers of answers; NULL: none */
    const struct revocation *revocation; /* NULL: revocation is not checked */
    enum revocation_scope revocation_scope;
    size_t chain_size_max;  /* bytes of all certificates together; a larger chain is too_large. 0: the caller sees to it */
    bool accept_stale_crls; /* a CRL past its nextUpdate still clears the certificates that it does not list */
    /* Set by identity_policy_seal when all else is set: the cache knows the policy by it. */
    uint8_t digest[IDENTITY_DIGEST_SIZE];
};

/*
 * Sets the digest: SHA-256 over all that a verdict and its headers depend on beside the chain and the time: the roots, the
 * CRLs and how they are taken, the depth and size of chains, the configured headers. The digest is of their content, so that
 * a reload that changes nothing for a host leaves its verdicts in the cache, and one that changes something leaves them
 * unreachable.
 */
void identity_policy_seal(struct identity_policy *policy);

struct identity {
    atomic_uint references;
    enum status status;
    enum reason reason;
    int64_t valid_from;      /* the verdict holds from this second ... */
    int64_t valid_until;     /* ... to this, since the epoch, both included; for `valid` those of the path and its CRLs */
    int64_t not_after;       /* of the leaf; 0 when the leaf cannot be read, or none was presented */
    unsigned signatures;     /* that were checked to reach the verdict */
    uint32_t size;           /* bytes of the whole identity */
    uint8_t fingerprint[32]; /* SHA-256 of the leaf; zeros for STATUS_NONE */
    uint8_t spki[32];        /* SHA-256 of the leaf's SubjectPublicKeyInfo; zeros unless the status is STATUS_VALID */
    struct bytes headers; /* of requests: "Name: value\r\n" for each configured field of the certificate that is present */
    struct bytes marked_headers; /* of requests, for forward_complete */
    struct bytes answer_headers; /* this and the next: likewise, of answers; mostly empty */
    struct bytes marked_answer_headers;
    struct bytes ski; /* this and the next two are for logs: as the contract's fields have them, cut; empty: absent */
    struct bytes serial;
    struct bytes issuer; /* issuer.dn */
    const char *detail;  /* for people: names the certificate, the issuer, the date; "" when valid */
};

/*
 * Judges a chain (leaf first, the rest in any order) as of `now` and renders its headers. `count` 0: no certificate was
 * presented. `too_large`: the chain was longer than the limit allows. A bad chain is no failure but a reason; NULL only when
 * out of memory. The result has one reference.
 */
struct identity *identity_judge(const struct identity_policy *policy, const struct bytes *chain, size_t count,
                                bool too_large, int64_t now);

struct identity *identity_retain(struct identity *identity);
/* Gives a reference back, and frees the identity with the last one. NULL is allowed. */
void identity_release(struct identity *identity);

#endif
