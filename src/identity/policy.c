/* A policy's digest. wolfSSL's own headers need its options first. */
#include "base/check.h"
#include "identity/identity.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/sha256.h>

static void add(wc_Sha256 *hash, const void *data, size_t size) {
    CHECK(size <= UINT32_MAX);
    CHECK(size == 0 || wc_Sha256Update(hash, data, (word32)size) == 0);
}

static void add_number(wc_Sha256 *hash, uint64_t number) {
    add(hash, &number, sizeof(number));
}

/* Behind its length, so that no two lists of parts are the same bytes. */
static void add_part(wc_Sha256 *hash, const void *data, size_t size) {
    add_number(hash, size);
    add(hash, data, size);
}

static void add_trust(wc_Sha256 *hash, const struct trust *trust) {
    size_t count = trust == NULL ? 0 : trust_count(trust);
    add_number(hash, count);
    for (size_t i = 0; i < count; i++) {
        struct bytes der = trust_anchor(trust, i)->certificate.der;
        add_part(hash, der.data, der.size);
    }
}

static void add_forward(wc_Sha256 *hash, const struct forward *forward) {
    add_number(hash, forward->count);
    for (size_t i = 0; i < forward->count; i++) {
        const struct forward_header *header = &forward->headers[i];
        add_part(hash, header->name, strlen(header->name));
        add_number(hash, header->field.kind);
        add_part(hash, header->field.oid, header->field.oid_size);
    }
}

static void add_revocation(wc_Sha256 *hash, const struct identity_policy *policy) {
    add_number(hash, policy->revocation != NULL);
    if (policy->revocation != NULL) {
        uint8_t digest[IDENTITY_DIGEST_SIZE];
        revocation_digest(policy->revocation, digest);
        add(hash, digest, sizeof(digest));
        add_number(hash, policy->revocation_scope);
        add_number(hash, policy->accept_stale_crls);
    }
}

void identity_policy_seal(struct identity_policy *policy) {
    wc_Sha256 hash;
    CHECK(wc_InitSha256(&hash) == 0);
    add_trust(&hash, policy->trust);
    add_number(&hash, policy->depth_max);
    add_number(&hash, policy->chain_size_max);
    add_forward(&hash, policy->forward);
    add_revocation(&hash, policy);
    CHECK(wc_Sha256Final(&hash, policy->digest) == 0);
    wc_Sha256Free(&hash);
}
